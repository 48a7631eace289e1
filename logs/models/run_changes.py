from __future__ import annotations

from django.db import models

from feedback.access.actors import ScopedQuerySet, Tenancy
from feedback.access.privacy import Privacy
from feedback.models import Feedback, QuickLoading, Tester
from feedback.models.numbers import ExactDecoder, ExactEncoder

from .runs import Run


class RunChange(QuickLoading):
    """What had changed on a subject when its run was started by that.

    Kept only where the run's templates read it, so that a retry or a resend says the
    same as the first try, whatever the subject is like by then.
    """

    run = models.ForeignKey(
        Run, models.CASCADE, related_name="subject_changes", db_index=False
    )
    # One of the two is set.
    feedback = models.ForeignKey(Feedback, models.CASCADE, related_name="+", null=True)
    tester = models.ForeignKey(Tester, models.CASCADE, related_name="+", null=True)
    # As in feedback.changes.Changed.
    before = models.JSONField(default=dict, encoder=ExactEncoder, decoder=ExactDecoder)
    # The names of what changed, as people know them.
    fields = models.JSONField(default=list)
    by = models.CharField(max_length=150, blank=True)

    tenancy = Tenancy("run__community", "run__project")
    privacy = Privacy(texts=("before",), about=("feedback__submitter", "tester"))
    objects = ScopedQuerySet["RunChange"].as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name = "change that started a run"
        verbose_name_plural = "changes that started runs"
        indexes = [
            models.Index(fields=["run", "feedback", "tester"], name="run_change_of")
        ]

    def __str__(self) -> str:
        return f"Change {self.pk}"

    @property
    def subject_id(self) -> int:
        return self.feedback_id or self.tester_id or 0
