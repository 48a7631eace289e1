"""Made-up tickets to try things on. They are marked, and can be removed again."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from feedback.access.keys import Actor
from feedback.changes import deletion, quietly
from feedback.changes.signals import saved
from feedback.forms import answer_to
from feedback.models import Feedback, FeedbackType
from feedback.models.tickets import FeedbackQuerySet

from .starters import Sample, samples_for

# So that nobody takes them for a tester's, here or where they are sent to.
MARK = "Sample: "
_NOTE = "Sample data."
_DELETE = "feedback.delete_feedback"


def add_samples(kind: FeedbackType) -> list[Feedback]:
    """The sample tickets of the type; no trigger runs on them."""
    with transaction.atomic(), quietly():
        tickets = [_ticket(kind, each) for each in samples_for(kind)]
        for ticket in tickets:
            ticket.save()
            saved.send(Feedback, before=None, after=ticket, parts=[], note=_NOTE)
    return tickets


def _ticket(kind: FeedbackType, sample: Sample) -> Feedback:
    return Feedback(
        feedback_type=kind,
        title=f"{MARK}{sample.title}",
        description=sample.description,
        form_values=_values(kind, sample),
        is_sample=True,
    )


def _values(kind: FeedbackType, sample: Sample) -> dict[str, object]:
    """Those that the type's form, which people may have changed, still takes."""
    values = {}
    for question in kind.form_fields.filter(key__in=sample.values):
        try:
            value = answer_to(question, sample.values[question.key])
        except ValidationError:
            continue
        if value is not None:
            values[question.key] = value
    return values


def remove_samples(actor: Actor) -> int:
    """Delete the sample tickets that the actor may delete, and say how many."""
    pks = list(
        removable_samples(actor).values_list("pk", flat=True)[: deletion.AT_ONCE]
    )
    if pks:
        deletion.delete_all(Feedback.objects.filter(pk__in=pks))
    return len(pks)


def removable_samples(actor: Actor) -> FeedbackQuerySet:
    """The sample tickets that the actor may remove."""
    return Feedback.objects.visible_to(actor, _DELETE).filter(is_sample=True)
