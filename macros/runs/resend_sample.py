"""What a resend promises: the first of its requests whole, for whom and where to."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils import timezone

from feedback.access.keys import Actor
from feedback.access.roles import RUN_MACRO
from feedback.formats import UNREADABLE
from logs.models import Attempt, Delivery, Resend
from logs.models.deliveries import DeliveryQuerySet
from logs.recording.requeue import blocker, plain

from ..steps import mail
from ..steps.dry_run import RequestPreview
from ..steps.rendering import Plan, context_for
from ..tags import TemplateError

# Subjects and destinations that are named.
MAX_NAMED = 10


@dataclass(slots=True)
class ResendSample:
    """The first of the deliveries that go out again, and names of all."""

    first: Delivery
    request: RequestPreview
    # What it does instead, where it sends nothing: a change, as a sentence.
    change: str = ""
    subjects: list[str] = field(default_factory=list)
    destinations: list[str] = field(default_factory=list)


def sample_of(
    selection: DeliveryQuerySet, kind: Resend, actor: Actor
) -> ResendSample | None:
    """None where nothing can be resent in this way, or the actor may not look at it."""
    rows = plain(selection.visible_to(actor, RUN_MACRO).visible_to(actor))
    free = rows.alias(blocker=blocker(kind)).filter(blocker="")
    first = free.select_related("run__project", "destination").order_by("pk").first()
    if first is None:
        return None
    request, change = _as_logged(first) if kind == Resend.SAME else _anew(first)
    some = free.order_by("pk").values_list("subject_label", flat=True)
    origins = free.order_by().exclude(destination=None)
    names = origins.values_list("destination__origin", flat=True).distinct()
    return ResendSample(
        first,
        request,
        change,
        subjects=list(dict.fromkeys(some[:MAX_NAMED])),
        destinations=sorted(names[:MAX_NAMED]),
    )


def _as_logged(delivery: Delivery) -> tuple[RequestPreview, str]:
    sent = Attempt.objects.last_sent().filter(delivery=delivery).first()
    if sent is None:
        return RequestPreview(), ""
    is_mail = sent.method == mail.METHOD
    return (
        RequestPreview(
            title="E-mail" if is_mail else "Request",
            method=sent.method,
            url=sent.url,
            headers=sent.request_headers,
            body=sent.request_body,
        ),
        "",
    )


def _anew(delivery: Delivery) -> tuple[RequestPreview, str]:
    """With the macro as it was when the run started, and the subject as it is now."""
    run, pk = delivery.run, delivery.subject_id
    try:
        plan = Plan.from_snapshot(run.snapshot)
        step = plan.steps[delivery.step]
        subject = plan.load_subjects([pk]).get(pk)
        if subject is None:
            return RequestPreview(error="The ticket or tester is gone."), ""
        context = context_for(
            subject,
            run,
            delivery.pk,
            timezone.now(),
            plan.vault.values,
            plan.load_changes(run, [pk]).get(pk),
            plan.load_payload(run),
        )
        request = step.preview(context)
    except (TemplateError, *UNREADABLE, LookupError) as error:
        return RequestPreview(error=str(error)), ""
    return (request, "") if request else (RequestPreview(), step.words)
