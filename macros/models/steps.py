from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models

from feedback.access.actors import ScopedQuerySet, Tenancy
from feedback.access.privacy import NOTHING_PERSONAL

if TYPE_CHECKING:
    from .macros import Macro


class Step(models.Model):
    """One thing that a macro does; each kind is a model of its own below this one."""

    # What a kind is called in snapshots and documents, and the names of its fields
    # that say what it does.
    kind: ClassVar[str]
    SETTINGS: ClassVar[tuple[str, ...]]
    # Settings that are rows of the macro's feedback type: the column that names them.
    NAMED_BY: ClassVar[Mapping[str, str]] = {}
    # Whether a user macro, which has no type and runs on testers, may have it.
    IS_FOR_TESTERS: ClassVar[bool] = True

    macro: models.ForeignKey[Macro, Macro] = models.ForeignKey(
        "macros.Macro", models.CASCADE, related_name="steps"
    )
    position = models.PositiveSmallIntegerField("order", default=0)

    tenancy = Tenancy("macro__community", "macro__project")
    privacy = NOTHING_PERSONAL
    objects = ScopedQuerySet["Step"].as_manager()

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return f"Step {self.position} of {self.macro}"

    @classmethod
    def accessor(cls) -> str:
        """The attribute of a step that gives it as this kind."""
        return str(cls._meta.model_name)

    @property
    def concrete(self) -> Step:
        """The step as its own kind."""
        for kind in step_kinds().values():
            found: Step | None = getattr(self, kind.accessor(), None)
            if found is not None:
                return found
        raise TypeError(f"{self} is of no known kind.")

    def settings(self) -> dict[str, Any]:
        """What it does, in plain JSON; other rows are given by their names."""
        return {name: self._setting(name) for name in self.SETTINGS}

    def _setting(self, name: str) -> Any:
        value = getattr(self, name)
        return getattr(value, self.NAMED_BY[name]) if name in self.NAMED_BY else value

    def snapshot(self) -> dict[str, Any]:
        return {"kind": self.kind, **self.settings()}

    @classmethod
    def restore(cls, macro: Macro, settings: Mapping[str, Any]) -> Step:
        """A step, checked and not yet saved, of what `settings()` once gave.

        What is missing keeps its default, and a name is looked up in the macro's type.
        Raises ValidationError with the problems of each member.
        """
        values: dict[str, Any] = {}
        problems: dict[str, list[str]] = {}
        for name, value in settings.items():
            try:
                values[name] = cls._restored(macro, name, value)
            except ValidationError as error:
                problems[name] = error.messages
        if problems:
            raise ValidationError(problems)
        step = cls(macro=macro, **values)
        step.full_clean(exclude=["step_ptr", "macro"])
        return step

    @classmethod
    def _restored(cls, macro: Macro, name: str, value: Any) -> Any:
        if name not in cls.SETTINGS:
            raise ValidationError(
                f"A {cls._meta.verbose_name} has no setting '{name}'."
            )
        field: Any = cls._meta.get_field(name)
        if name in cls.NAMED_BY:
            rows = field.remote_field.model._default_manager.filter(
                feedback_type=macro.feedback_type_id
            )
            found = rows.filter(**{cls.NAMED_BY[name]: str(value)}).first()
            if found is None:
                called = field.remote_field.model._meta.verbose_name
                raise ValidationError(f"The feedback type has no {called} '{value}'.")
            return found
        if not isinstance(field, models.JSONField):
            _check_kind(value, field.get_default())
        return value

    def clean(self) -> None:
        """Refuse what could never be done, each fault on the field it is in."""
        macro = getattr(self, "macro", None)
        if macro is None or not macro.has_owner:
            return  # The macro itself is refused for it, or the form for having none.
        if macro.feedback_type_id is None and not self.IS_FOR_TESTERS:
            called = self._meta.verbose_name
            problem = f"A user macro runs on testers, which have no {called}."
            raise ValidationError({NON_FIELD_ERRORS: [problem]})
        problems = {name: each for name, each in self.problems(macro).items() if each}
        if problems:
            raise ValidationError(problems)

    def problems(self, macro: Macro) -> dict[str, list[str]]:
        """By field, what is wrong with it in this macro."""
        return {}


def _check_kind(value: Any, like: Any) -> None:
    if isinstance(like, bool):
        fits, kind = isinstance(value, bool), "true or false"
    elif isinstance(like, int):
        fits, kind = type(value) is int, "a whole number"
    else:
        fits, kind = isinstance(value, str), "text"
    if not fits:
        raise ValidationError(f"Give {kind}.")


def kind_accessors() -> list[str]:
    """What to select along with steps, so that `concrete` asks for nothing more."""
    return [each.accessor() for each in step_kinds().values()]


def step_kinds() -> dict[str, type[Step]]:
    return {each.kind: each for each in Step.__subclasses__()}
