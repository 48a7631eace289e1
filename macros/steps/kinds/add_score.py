from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from feedback.access.privacy import NOTHING_PERSONAL
from feedback.changes import ChangeKind

from ...models import Macro
from ...models.steps import Problems, Settings
from ...tags import Scope
from ..changes import CompiledChange
from ..kind import StepForm, StepKind

MAX_POINTS = 1_000_000


class AddScore(StepKind):
    """The step that adds points to a tester's score, for a ticket its submitter's."""

    kind = "add_score"
    SETTINGS = ("points",)
    privacy = NOTHING_PERSONAL
    FORM = StepForm("Add to the tester's score", order=60, fields=["points"])

    points = models.IntegerField(
        default=1,
        validators=[MinValueValidator(-MAX_POINTS), MaxValueValidator(MAX_POINTS)],
        help_text="Added to the score of the tester, for a ticket of its submitter;"
        " a negative number takes points away.",
    )

    class Meta(StepKind.Meta):
        verbose_name = "score"

    def __str__(self) -> str:
        return f"Add {self.points:+,} to the tester's score"

    def problems(self, macro: Macro) -> Problems:
        return {"points": [] if self.points else ["Give a number other than 0."]}

    @classmethod
    def compile(cls, settings: Settings, scope: Scope) -> CompiledChange:
        points = settings["points"]
        words = f"Add {points:+,} points to the tester's score"
        return CompiledChange(ChangeKind.SCORE, words, points)
