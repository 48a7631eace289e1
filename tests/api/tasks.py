"""What the ten commonest tasks of docs/api.md act on, and what each should come to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from feedback.models import Comment, Feedback, FeedbackType, Tester
from logs import recording
from logs.models import Attempt, Delivery, DeliveryState, ErrorClass, Run, RunState
from macros.models import Macro
from tests import factories

SCOPES = ("read", "write", "run", "manage")


@dataclass
class Ground:
    type: FeedbackType
    ticket: Feedback
    macro: Macro
    run: Run
    token: str

    @classmethod
    def build(cls) -> Ground:
        bugs = factories.feedback_type()
        made = factories.ticket(bugs, form_values={"severity": "Critical"})
        macro = factories.macro(bugs, "https://example.com/", name="Post")
        run = factories.run(macro)
        for delivery in run.deliveries.all():
            _fail(delivery)
        run.refresh_from_db()
        assert run.is_settled
        scopes = dict.fromkeys([f"scope_{scope}" for scope in SCOPES], True)
        _, token = factories.api_key(bugs.project.community, **scopes)
        return cls(bugs, made, macro, run, token)


def _fail(delivery: Delivery) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(lease="mine")
    attempt = Attempt(
        delivery=delivery,
        number=1,
        started_at=timezone.now(),
        method="POST",
        url="https://example.com/",
        status=404,
        error_class=ErrorClass.HTTP,
    )
    outcome = recording.Outcome(
        delivery, DeliveryState.FAILED, attempt, origin="https://example.com:443"
    )
    recording.record(delivery.run, "mine", [outcome], timezone.now())


def _is_found(ground: Ground) -> bool:
    return Feedback.objects.count() == 1


def _is_made(ground: Ground) -> bool:
    return Feedback.objects.filter(title="It breaks").count() == 2


def _is_changed(ground: Ground) -> bool:
    ground.ticket.refresh_from_db()
    return ground.ticket.status is not None and ground.ticket.status.name == "Closed"


def _are_written(ground: Ground) -> bool:
    ground.ticket.refresh_from_db()
    is_new = Feedback.objects.filter(title="First").count() == 1
    return is_new and ground.ticket.title == "Again"


def _is_said(ground: Ground) -> bool:
    return Comment.objects.get(feedback=ground.ticket).text == "Fixed in 4.2."


def _is_attached(ground: Ground) -> bool:
    return ground.ticket.attachments.get().name == "notes.txt"


def _is_known(ground: Ground) -> bool:
    return Tester.objects.get(email="ada@example.com").city == "London"


def _is_started(ground: Ground) -> bool:
    return ground.macro.runs.count() == 2


def _is_told(ground: Ground) -> bool:
    return Run.objects.get().state == RunState.FINISHED


def _is_sent_again(ground: Ground) -> bool:
    return not ground.run.deliveries.exclude(state=DeliveryState.PENDING).exists()


Check = Callable[[Ground], bool]
# The checks, by the headings of the document.
CHECKS: dict[str, Check] = {
    "Find tickets": _is_found,
    "Make a ticket": _is_made,
    "Change a ticket": _is_changed,
    "Make and change many tickets": _are_written,
    "Comment on a ticket": _is_said,
    "Attach a file": _is_attached,
    "Add and change testers": _is_known,
    "Perform an action": _is_started,
    "Follow a run, and read why some failed": _is_told,
    "Send what failed again": _is_sent_again,
}


def values(ground: Ground, url: str) -> dict[str, Any]:
    """What stands for the numbers and the address in the document."""
    return {
        "API": f"{url}/api/v1",
        "KEY": ground.token,
        "TYPE": ground.type.pk,
        "TICKET": ground.ticket.pk,
        "MACRO": ground.macro.pk,
        "RUN": ground.run.pk,
    }
