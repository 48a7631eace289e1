from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models

from feedback.access import ScopedQuerySet, Tenancy

if TYPE_CHECKING:
    from .macros import Macro


class Step(models.Model):
    """One thing that a macro does; each kind is a model of its own below this one."""

    # What a kind is called in snapshots and documents, and the names of its fields
    # that say what it does.
    kind: ClassVar[str]
    SETTINGS: ClassVar[tuple[str, ...]]

    macro: models.ForeignKey[Macro, Macro] = models.ForeignKey(
        "macros.Macro", models.CASCADE, related_name="steps"
    )
    position = models.PositiveSmallIntegerField("order", default=0)

    tenancy = Tenancy("macro__community", "macro__project")
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
        return {name: getattr(self, name) for name in self.SETTINGS}

    def snapshot(self) -> dict[str, Any]:
        return {"kind": self.kind, **self.settings()}


def step_kinds() -> dict[str, type[Step]]:
    return {each.kind: each for each in Step.__subclasses__()}
