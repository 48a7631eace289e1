from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models

from feedback.access.actors import ScopedQuerySet, Tenancy
from feedback.access.privacy import NOTHING_PERSONAL, Privacy
from feedback.models import Feedback, SubjectKind, Tester
from feedback.models.folded import unique_name
from logs.models import Run

from .automations import Automation


class Event(models.TextChoices):
    """What a trigger waits for: of tickets, then of testers."""

    SUBMITTED = "submitted", "A ticket is submitted"
    MODIFIED = "modified", "A ticket is modified"
    STATUS_CHANGED = "status_changed", "A ticket's status changes"
    FIELD_CHANGED = "field_changed", "An answer on the form changes"
    COMMENT_ADDED = "comment_added", "A comment is added"
    EXTERNAL_CHANGED = "external_changed", "External data changes"
    TESTER_ADDED = "tester_added", "A tester is added"
    TESTER_CHANGED = "tester_changed", "A tester changes"
    SCORE_CROSSED = "score_crossed", "A tester's score reaches a number"


# To what each can happen.
EVENTS: Mapping[SubjectKind, tuple[Event, ...]] = {
    SubjectKind.FEEDBACK: (
        Event.SUBMITTED,
        Event.MODIFIED,
        Event.STATUS_CHANGED,
        Event.FIELD_CHANGED,
        Event.COMMENT_ADDED,
        Event.EXTERNAL_CHANGED,
    ),
    SubjectKind.TESTER: (
        Event.TESTER_ADDED,
        Event.TESTER_CHANGED,
        Event.SCORE_CROSSED,
    ),
}

# The details that an event may have, and the one that it can't do without.
DETAILS: Mapping[str, tuple[str, ...]] = {
    Event.STATUS_CHANGED: ("from_status", "to_status"),
    Event.FIELD_CHANGED: ("field",),
    Event.EXTERNAL_CHANGED: ("external",),
    Event.SCORE_CROSSED: ("score",),
}
REQUIRED: Mapping[str, str] = {
    Event.FIELD_CHANGED: "field",
    Event.SCORE_CROSSED: "score",
}


class Trigger(Automation):
    """Runs its macro on what an event happens to, in the transaction of the event."""

    event = models.CharField(max_length=20, choices=Event)
    # What exactly, where the event can say so: `from_status` and `to_status` (keys of
    # statuses), `field` (the key of a question), `external` (a name), `score`.
    event_details = models.JSONField(default=dict, blank=True)
    only_new_matches = models.BooleanField(
        "only when it starts to match",
        default=False,
        help_text="The filter did not match before the change, and does after it.",
    )
    once_per_subject = models.BooleanField(
        "at most once per ticket or tester", default=False
    )
    follows_automation = models.BooleanField(
        "also on changes made by automation",
        default=False,
        help_text="If this is off, what macros change starts nothing.",
    )
    limit = models.PositiveIntegerField(
        "ask above",
        default=1_000,
        validators=[MinValueValidator(1)],
        help_text="If one change matches more tickets or testers than this, the run"
        " waits until a person confirms it.",
    )

    tenancy = Tenancy("community", "project")
    privacy = NOTHING_PERSONAL
    objects = ScopedQuerySet["Trigger"].as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            unique_name(
                "macro",
                name="trigger_name_of_macro",
                message="The macro has a trigger of this name.",
            )
        ]

    def clean(self) -> None:
        super().clean()
        if self.macro_id is None or self.event in EVENTS[self.subject_kind]:
            return
        runs_on = self.macro.runs_on
        problem = f"This can't happen to what the macro runs on: {runs_on}."
        raise ValidationError({"event": problem})


class DecisionOutcome(models.TextChoices):
    STARTED = "started", "Started a run"
    UNCONFIRMED = "unconfirmed", "Needs confirmation"
    NO_MATCH = "no_match", "Did not match the filter"
    OTHER_EVENT = "other_event", "Not its event"
    ONCE = "once", "Already ran on it"
    LOOP = "loop", "Ended a loop"
    HELD_UP = "held_up", "Could not run"


class TriggerDecision(models.Model):
    """Why a trigger started a run for a ticket or tester, or why it did not."""

    trigger = models.ForeignKey(Trigger, models.CASCADE, related_name="decisions")
    # One of the two is set.
    feedback = models.ForeignKey(Feedback, models.CASCADE, related_name="+", null=True)
    tester = models.ForeignKey(Tester, models.CASCADE, related_name="+", null=True)
    outcome = models.CharField(max_length=12, choices=DecisionOutcome)
    detail = models.TextField(blank=True)
    run = models.ForeignKey(Run, models.SET_NULL, related_name="+", null=True)
    created_at = models.DateTimeField("time")

    tenancy = Tenancy("trigger__community", "trigger__project")
    privacy = Privacy(texts=("detail",), about=("feedback__submitter", "tester"))
    objects = ScopedQuerySet["TriggerDecision"].as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"Decision {self.pk}"
