"""A unit of work: what is written together is compared and announced together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from ..access.requests import name_at_work
from .changed import Changed, Origin
from .facts import HasFacts, Reference, Values, keys_in
from .signals import changed, changing

Model = type[HasFacts]


@dataclass(slots=True)
class _Row:
    """Columns of a row as they were before, and what was written to them."""

    before: Values
    after: Values = field(default_factory=dict)
    is_new: bool = False
    is_changing: bool = False
    comments: list[str] = field(default_factory=list)

    @property
    def present(self) -> Values:
        return self.before | self.after if self.after else self.before


class Unit:
    """What was read and written since it began, by model and key.

    One inside another ends by giving the outer one what it has; if it fails, its part
    is forgotten, as the database forgets it.
    """

    def __init__(self, origin: Origin, outer: Unit | None, *, is_quiet: bool) -> None:
        self.origin = origin
        self._outer = outer
        self._is_quiet = is_quiet
        self._rows: dict[Model, dict[int, _Row]] = {}
        # What differs, until something more is written.
        self._changes: dict[Model, list[Changed]] = {}

    def lock(
        self, model: Model, pks: Iterable[int], columns: Iterable[str]
    ) -> dict[int, Values]:
        """Lock rows in the order of their keys, and read columns as they are now."""
        wanted, needed = sorted(set(pks)), {*columns, *model.announced.always_read}
        known: dict[int, Values] = {}
        unread = []
        for pk in wanted:
            present = self._present(model, pk)
            if present is None or not needed <= present.keys():
                unread.append(pk)
            else:
                known[pk] = present
        if unread:
            rows = model._base_manager.select_for_update(no_key=True)
            rows = rows.filter(pk__any_of=unread).order_by("pk")
            for values in rows.values("pk", *sorted(needed)):
                pk = values.pop("pk")
                known[pk] = self._know(model, pk, values)
        return {pk: known[pk] for pk in wanted if pk in known}

    def write(self, model: Model, given: Mapping[int, Values]) -> dict[int, Values]:
        """Note what will be written, and return of it what differs from what is there.

        The caller writes that, and nothing else.
        """
        columns = {name for values in given.values() for name in values}
        stored = self.lock(model, given, columns)
        differing = {}
        for pk, values in given.items():
            if pk in stored and (new := _differing(model, stored[pk], values)):
                differing[pk] = new
        self._announce_changing(
            model,
            [
                pk
                for pk, values in differing.items()
                if model.announced.concerns(values, stored[pk])
            ],
        )
        self._changes.clear()
        for pk, values in differing.items():
            self._row(model, pk).after |= values
        return differing

    def moved(self, model: Model, names: Iterable[str]) -> dict[str, datetime]:
        """What to write beside these columns: they make it a modified row."""
        announced = model.announced
        if self._is_quiet or not announced.modified:
            return {}
        modifying = {*names} - {*announced.unmodifying}
        return {announced.modified: timezone.now()} if modifying else {}

    def create(self, rows: Iterable[HasFacts]) -> None:
        """Note rows that were inserted."""
        self._changes.clear()
        for row in rows:
            model, announced = type(row), row.announced
            noted = self._row(model, row.pk)
            noted.is_new = True
            noted.after = {
                name: announced.as_stored(model, name, getattr(row, name))
                for name in (*announced.columns, *announced.always_read)
            }

    def comment(self, model: Model, texts: Iterable[tuple[int, str]]) -> None:
        """Note comments that will be added to rows, by their keys."""
        added = list(texts)
        self.lock(model, {pk for pk, _ in added}, ())
        self._announce_changing(model, {pk for pk, _ in added})
        self._changes.clear()
        for pk, text in added:
            self._row(model, pk).comments.append(text)

    def close(self) -> None:
        if self._outer is not None:
            self._outer._take(self)
        elif not self._is_quiet:
            for model in self._rows:
                if changes := self.changes(model):
                    changed.send(model, changes=changes, origin=self.origin)

    def changes(self, model: Model) -> list[Changed]:
        """What differs by now on rows of a model."""
        if model not in self._changes:
            self._changes[model] = _changes(model, self._rows.get(model, {}))
        return self._changes[model]

    def _know(self, model: Model, pk: int, values: Values) -> Values:
        row = self._row(model, pk)
        row.before = {**values, **row.before}
        return row.present

    def _announce_changing(self, model: Model, pks: Collection[int]) -> None:
        fresh = [pk for pk in pks if not self._is_changing(model, pk)]
        for pk in fresh:
            self._row(model, pk).is_changing = True
        if fresh and not self._is_quiet:
            changing.send(model, pks=fresh)

    def _is_changing(self, model: Model, pk: int) -> bool:
        row = self._rows.get(model, {}).get(pk)
        if row is not None and (row.is_changing or row.is_new):
            return True
        return self._outer is not None and self._outer._is_changing(model, pk)

    def _present(self, model: Model, pk: int) -> Values | None:
        """What is known of a row as it is now; None where it was never read."""
        row = self._rows.get(model, {}).get(pk)
        if row is not None:
            return row.present
        return self._outer._present(model, pk) if self._outer else None

    def _row(self, model: Model, pk: int) -> _Row:
        rows = self._rows.setdefault(model, {})
        if pk not in rows:
            rows[pk] = _Row(self._present(model, pk) or {})
        return rows[pk]

    def _take(self, inner: Unit) -> None:
        """An inner unit's row begins with all that is known of it here."""
        self._changes.clear()
        for model, rows in inner._rows.items():
            taken = self._rows.setdefault(model, {})
            for pk, row in rows.items():
                own = taken.setdefault(pk, row)
                if own is row:
                    continue
                if len(row.before) > len(own.before):
                    own.before = {**row.before, **own.before}
                own.after |= row.after
                own.is_new |= row.is_new
                own.is_changing |= row.is_changing
                own.comments += row.comments


_present: ContextVar[Unit | None] = ContextVar("unit", default=None)
_is_quiet: ContextVar[bool] = ContextVar("quiet", default=False)


@contextmanager
def unit(origin: Origin | None = None) -> Iterator[Unit]:
    """What is written meanwhile is one unit of work, in one transaction.

    Inside another it is a part of that one, whose origin counts. Without an origin it
    is the work of whoever is at work.
    """
    outer, is_quiet = _present.get(), _is_quiet.get()
    if outer is not None:
        origin = outer.origin
    elif origin is None:
        origin = Origin(actor=name_at_work())
    opened = Unit(origin, outer, is_quiet=is_quiet)
    with transaction.atomic() if outer is None else nullcontext():
        token = _present.set(opened)
        try:
            yield opened
        finally:
            _present.reset(token)
        opened.close()


@contextmanager
def quietly() -> Iterator[None]:
    """What is written meanwhile announces nothing: nothing follows from an erasure."""
    token, outer = _is_quiet.set(True), _present.set(None)
    try:
        yield
    finally:
        _present.reset(outer)
        _is_quiet.reset(token)


def _differing(model: Model, stored: Values, given: Values) -> Values:
    announced = model.announced
    differing = {}
    for name, value in given.items():
        new = announced.as_stored(model, name, value)
        if not announced.is_same(name, stored[name], new):
            differing[name] = new
    return differing


def _changes(model: Model, rows: Mapping[int, _Row]) -> list[Changed]:
    made = []
    for pk, row in rows.items():
        is_written = row.is_new or row.after or row.comments
        if not is_written or model.announced.is_hushed(row.present):
            continue
        stored = {} if row.is_new else row.before
        before, after = model.announced.differing(stored, row.after)
        if row.is_new or before or after or row.comments:
            made.append(Changed(pk, row.is_new, before, after, tuple(row.comments)))
    _name_references(model, made)
    return made


def _name_references(model: Model, changes: list[Changed]) -> None:
    """Put names in the place of keys, with one query for each foreign key."""
    sides = [side for each in changes for side in (each.before, each.after)]
    for column, reference in model.announced.references.items():
        keys = keys_in(sides, column)
        names = _names(model, column, reference, keys) if keys else {}
        for side in sides:
            if column not in side:
                continue
            key = side.pop(column)
            side[reference.name] = names.get(key, "")
            if reference.key_name:
                side[reference.key_name] = key


def _names(
    model: Model, column: str, reference: Reference, keys: set[int]
) -> dict[object, str]:
    related: Any = model._meta.get_field(column).related_model
    rows = related._base_manager.filter(pk__any_of=sorted(keys))
    return dict(rows.values_list("pk", reference.column))
