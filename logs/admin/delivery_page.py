"""What the page of one delivery shows."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from feedback.access.actors import may
from feedback.access.roles import RUN_MACRO
from feedback.models import Feedback, Tester
from feedback.texts import NUMBER
from macros import queue
from macros.authoring import curl
from macros.runs.resend import preview_resend

from ..console import delivery_badge, diagnose, timeline_of
from ..console.timeline import lines_of, meaning_of
from ..console.wire import Body, headers_of
from ..models import Attempt, Delivery, Resend, delivery_id
from ..recording.explanations import error_label
from ..recording.waiting import troubles_of
from ..redaction import MASK
from ..retention import gone_attempts, gone_texts

# The number of the try whose request and response are shown; without, the last one.
ATTEMPT = "attempt"
# Tries in the timeline; older ones are counted.
MAX_ATTEMPTS = 50


def live_part(delivery: Delivery, request: HttpRequest) -> dict[str, Any]:
    """All that changes while the delivery is under way."""
    settled = delivery.finished_at is not None
    log = delivery.attempt_log
    # The timeline says of each how long its response asked to wait.
    newest = log.with_texts("response_headers").order_by("-pk")
    attempts = list(newest[:MAX_ATTEMPTS])[::-1]
    is_cut = len(attempts) == MAX_ATTEMPTS
    oldest = attempts[0].number if attempts else None
    number = _chosen(request)
    chosen = log.filter(number=number) if number else log.all()
    attempt = chosen.with_texts().order_by("-pk").first()
    return {
        "delivery": delivery,
        "diagnosis": diagnose(delivery, attempts),
        "timeline": timeline_of(delivery, attempts),
        "earlier": max(0, delivery.attempts - len(attempts)) if is_cut else 0,
        "gone": "" if is_cut else gone_attempts(delivery, oldest),
        "shown": _in_full(attempt, delivery) if attempt else None,
        "settled": settled,
        "has_worker": settled or queue.has_worker(),
        "troubles": [] if settled else troubles_of(delivery.run, timezone.now()),
        # If this changes, the whole page has to be loaded again.
        "progress": "sending" if delivery.is_being_sent else delivery.state,
    }


def _chosen(request: HttpRequest) -> int:
    given = request.GET.get(ATTEMPT, "")
    return int(given) if NUMBER.fullmatch(given) and len(given) < 5 else 0


def _in_full(attempt: Attempt, delivery: Delivery) -> dict[str, Any]:
    """One try: what was sent and what came back, beside each other."""
    return {
        "attempt": attempt,
        "gone": gone_texts(attempt, delivery.run.community_id),
        "meaning": meaning_of(attempt),
        "explanation": lines_of(attempt)[0],
        "error": error_label(attempt.error_class),
        "request_headers": headers_of(attempt.request_headers),
        "request": Body(attempt.request_body, attempt.request_headers),
        "response_headers": headers_of(attempt.response_headers),
        "response": Body(attempt.response_body, attempt.response_headers),
        "curl": _as_curl(attempt),
    }


def page_of(delivery: Delivery, request: HttpRequest) -> dict[str, Any]:
    user = request.user
    this = Delivery.objects.filter(pk=delivery.pk)
    where = f" to {delivery.destination.host}" if delivery.destination else ""
    macro = delivery.run.macro
    query = f"?{ATTEMPT}={number}" if (number := _chosen(request)) else ""
    return {
        "title": f"{delivery}{where}",
        "subtitle": "",
        "standing": delivery_badge(delivery),
        "sent_id": delivery_id(delivery.run.key, delivery.pk),
        "may_run": may(user, RUN_MACRO, delivery),
        "may_see_version": macro and may(user, "macros.change_macro", macro),
        "query": query,
        "resends": [
            (kind, kind.label, preview_resend(this, kind, user)) for kind in Resend
        ],
        **live_part(delivery, request),
        **_subject(delivery),
    }


def _subject(delivery: Delivery) -> dict[str, object]:
    """The ticket or tester, None if it was deleted."""
    model: type[Model] = Feedback if delivery.tester_id is None else Tester
    subject = model._default_manager.filter(pk=delivery.subject_id).first()
    page = f"admin:feedback_{model._meta.model_name}_change"
    return {
        "subject": subject,
        "subject_kind": delivery.run.subject_kind.label,
        "subject_url": reverse(page, args=[subject.pk]) if subject else "",
    }


def _as_curl(attempt: Attempt) -> str:
    """The request as a shell command, with a variable for each mask; or empty."""
    if attempt.method in ("", "MAIL"):
        return ""
    lines = (line.partition(":") for line in attempt.request_headers.splitlines())
    headers = [(name, value.strip()) for name, _, value in lines]
    body = attempt.request_body or None
    return curl.write(attempt.method, attempt.url, headers, body, MASK)
