"""Models whose every write through Django is a unit of work, or a part of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self, TypeVar

from django.db.models import Field, Model

from ..access.actors import ScopedQuerySet
from .facts import HasFacts, Values
from .unit import unit

M = TypeVar("M", bound="AnnouncedRow")


class AnnouncedQuerySet(ScopedQuerySet[M]):
    def update(self, **values: Any) -> int:
        """Lock the rows, and write to those in which something differs."""
        model = self.model
        attributes = {_attribute(model, name) for name in values}
        if not attributes & {*model.announced.columns}:
            return super().update(**values)
        given = plain_values(model, values)
        with unit() as opened:
            stored = opened.lock(
                model, self.order_by().values_list("pk", flat=True), given
            )
            differing = opened.write(model, dict.fromkeys(stored, given))
            names = {name for values in differing.values() for name in values}
            written = {
                name: model.announced.as_stored(model, name, given[name])
                for name in names
            }
            if differing:
                rows = model._base_manager.filter(pk__any_of=list(differing))
                rows.update(**opened.moved(model, names) | written)
        return len(stored)

    update.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> list[M]:
        rows = list(objs)
        with unit() as opened:
            for row in rows:
                row.settle()
            made: list[M] = super().bulk_create(rows, *args, **kwargs)
            opened.create(row for row in made if row.pk is not None)
        return made


class AnnouncedRow(HasFacts):
    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the columns that differ from what is stored, and no other."""
        model = type(self)
        with unit() as opened:
            if self._state.adding:
                self.settle()
                super().save(*args, **kwargs)
                opened.create([self])
                return
            names = self._named(kwargs.pop("update_fields", None))
            given = {name: _plain(getattr(self, name)) for name in names}
            if not opened.lock(model, [self.pk], given):
                super().save(*args, **kwargs, update_fields=names)
                return
            differing = opened.write(model, {self.pk: given}).get(self.pk, {})
            written = differing | opened.moved(model, differing)
            # A copy: what is changed inside of a value is compared with what was noted.
            for name, value in written.items():
                setattr(self, name, model.announced.as_stored(model, name, value))
            if written:
                super().save(*args, **kwargs, update_fields=list(written))

    save.alters_data = True  # type: ignore[attr-defined]

    def settle(self) -> None:
        """Take the values that a new row will have, as the database gives them back."""
        for name in self.announced.columns:
            value = self.announced.as_stored(type(self), name, getattr(self, name))
            setattr(self, name, value)

    @classmethod
    def from_values(cls, pk: int, values: Values) -> Self:
        """A row of which only these columns are known."""
        return cls.from_db(None, ["id", *values], [pk, *values.values()])

    def _named(self, names: Iterable[str] | None) -> list[str]:
        """What is to be saved: without names, all that was loaded."""
        deferred = self.get_deferred_fields()
        fields = [
            field
            for field in self._meta.concrete_fields
            if not (field.primary_key or field.attname in deferred)
            and field.name != self.announced.modified
        ]
        chosen = None if names is None else {*names}
        return [
            field.attname
            for field in fields
            if chosen is None or {field.name, field.attname} & chosen
        ]


def plain_values(model: type[Model], values: Mapping[str, Any]) -> Values:
    """Values by the attributes of their columns: a row by its key."""
    return {_attribute(model, name): _plain(value) for name, value in values.items()}


def _attribute(model: type[Model], name: str) -> str:
    field = model._meta.get_field(name)
    return field.attname if isinstance(field, Field) else name


def _plain(value: Any) -> Any:
    """Raises TypeError for what only the database could calculate."""
    if hasattr(value, "resolve_expression"):
        raise TypeError("Give the value itself: an expression can't be compared.")
    return value.pk if isinstance(value, Model) else value
