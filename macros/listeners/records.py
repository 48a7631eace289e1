"""The ticket or tester that an event is about."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from feedback.models import Feedback, Project, Tester
from feedback.selection import saved
from feedback.selection.records import known_by

from ..models import InboundOutcome, RecordBy
from ..tags import to_text
from .events import shown
from .payloads import Payload
from .results import Ended, failed
from .setup import Setup

# More are not counted.
_MAX_COUNTED = 100
_RELATED = {
    Feedback: ("feedback_type__project__community", "status", "submitter"),
    Tester: ("community",),
}
_NAMES = {
    RecordBy.REFERENCE: "the reference",
    RecordBy.ID: "the ID",
    RecordBy.EMAIL: "the e-mail address",
}


def all_records(setup: Setup) -> QuerySet[Any]:
    """What the listener may find; nobody who was erased."""
    if not setup.is_for_testers:
        return Feedback.objects.filter(feedback_type__in=list(setup.types)).order_by()
    listener = setup.listener
    testers = Tester.objects.filter(community=listener.community_id, erased_at=None)
    if listener.project_id is not None:
        own = Feedback.objects.filter(feedback_type__project=listener.project_id)
        testers = testers.filter(pk__in=own.order_by().values("submitter"))
    return testers.order_by()


def find_record(setup: Setup, payload: Payload) -> Feedback | Tester | None:
    """The one that the event is about; None where there is none.

    Raises Ended where there are several, and Unreadable.
    """
    text = value_sought(setup, payload)
    where = _where(setup, text) if text else None
    if where is None:
        return None
    rows = all_records(setup).filter(where)
    # A small limit makes PostgreSQL expect to meet one soon among all rows.
    records = list(rows.select_related(*_RELATED[rows.model])[: _MAX_COUNTED + 1])
    if len(records) > 1:
        count = str(len(records)) if len(records) <= _MAX_COUNTED else "More than 100"
        raise failed(
            f"{count} {setup.noun}s have {_sought(setup, text)}, and one is needed."
        )
    return records[0] if records else None


def value_sought(setup: Setup, payload: Payload) -> str:
    value = setup.record_at.value(payload) if setup.record_at else None
    if isinstance(value, (dict, list)):
        what = "an object" if isinstance(value, dict) else "a list"
        raise Ended(
            InboundOutcome.NO_RECORD,
            f"{_at(setup)} is {what}, so no {setup.noun} was looked up by it.",
        )
    return to_text(value).strip()


def none_found(setup: Setup, payload: Payload) -> str:
    """Why there is no record, as a sentence."""
    if setup.listener.record_by == RecordBy.NONE:
        return f"The listener looks up no {setup.noun}."
    text = value_sought(setup, payload)
    if not text:
        return (
            f"The call has nothing at {_at(setup)}, so no {setup.noun} was looked up."
        )
    return f"No {setup.noun} has {_sought(setup, text)}."


def load(setup: Setup, pk: int) -> Feedback | Tester | None:
    model: Any = Tester if setup.is_for_testers else Feedback
    record: Feedback | Tester | None = (
        model.objects.select_related(*_RELATED[model]).filter(pk=pk).first()
    )
    return record


def check_filter(setup: Setup, record: Feedback | Tester) -> None:
    if setup.filter is None:
        return
    chosen, compiled = setup.filter
    if compiled.problems:
        why = " ".join(problem.sentence for problem in compiled.problems[:3])
        raise failed(f"The filter {chosen} is broken. {why}")
    rows = saved.all_of(chosen).filter(compiled.q, pk=record.pk)
    if not rows.exists():
        reason = saved.failures(chosen, [record.pk]).get(record.pk, "")
        raise Ended(
            InboundOutcome.NO_MATCH,
            f"The filter {chosen} did not match. {reason}".strip(),
        )


def label_of(record: Feedback | Tester) -> str:
    return record.email if isinstance(record, Tester) else record.reference


def project_of(setup: Setup) -> Project | None:
    project: Project | None = setup.listener.project
    return project


def _where(setup: Setup, text: str) -> Q | None:
    """None where no row can have the value."""
    listener = setup.listener
    return known_by(
        listener.record_by,
        text,
        community=listener.community_id,
        external=listener.record_external,
    )


def _sought(setup: Setup, text: str) -> str:
    """`jira_key = NW-41 ($.issue.key)`."""
    listener = setup.listener
    what = _NAMES.get(RecordBy(listener.record_by), listener.record_external)
    return f"{what} = {shown(text)} ({_at(setup)})"


def _at(setup: Setup) -> str:
    return setup.record_at.text if setup.record_at else "no location"
