"""The REST API: tickets made by the thousand, and lists over 1,000,000 of them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from importlib import import_module
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from . import rows
from .ground import Ground, say
from .report import Figure, Row

if TYPE_CHECKING:
    from django.test import Client

    from feedback.models import FeedbackType

_BATCH, _BATCHES, _TIMES = 1_000, 7, 20
_CREATED, _P95 = "bulk_create_per_second", "feedback_list_p95_ms"
ROWS: tuple[Row, ...] = (
    (f"Tickets made, {_BATCH:,} a call", _CREATED, "/s"),
    ("Lists of tickets, 95 of 100 within", _P95, "ms"),
)
_URL = "/api/v1/feedback/"


def run(ground: Ground, tickets: int) -> dict[str, Figure]:
    from django.conf import settings
    from django.test import Client

    from tests import factories

    of = rows.seed(tickets)
    # As a web process begins: all is loaded, and no garbage is looked for in it.
    import_module("centerhook.wsgi")
    settings.API_PER_MINUTE = 1_000_000
    _, token = factories.api_key(of.project.community, scope_write=True)
    program = Client(headers={"host": "localhost", "authorization": f"Bearer {token}"})
    return {_P95: _p95_ms(program, of), _CREATED: _created_per_second(program, of)}


def _created_per_second(program: Client, of: FeedbackType) -> float:
    rates = []
    for number in range(_BATCHES):
        body = json.dumps({"tickets": [_ticket(of, n) for n in range(_BATCH)]})
        begun = time.monotonic()
        response = program.post(f"{_URL}batch/", body, content_type="application/json")
        seconds = time.monotonic() - begun
        if response.status_code != 200 or response.json()["created"] != _BATCH:
            raise RuntimeError(response.content.decode()[:500])
        say(f"batch {number}: {_BATCH / seconds:,.0f}/s")
        rates.append(_BATCH / seconds)
    return median(rates)


def _ticket(of: FeedbackType, number: int) -> dict[str, Any]:
    return {
        "type": of.pk,
        "title": f"The screen stays black, report {number}",
        "description": "It happened after the update. " * 8,
        "status": "New",
        "submitter": f"tester{number}@example.com",
        "form_values": {"severity": "Major", "impact": number % 100},
        "external_data": {"jira_key": f"NW-{number}"},
    }


def _p95_ms(program: Client, of: FeedbackType) -> float:
    taken: list[float] = []
    for query in _queries(of):
        own = []
        for _ in range(_TIMES):
            begun = time.monotonic()
            response = program.get(f"{_URL}?{urlencode(query)}")
            own.append((time.monotonic() - begun) * 1e3)
            if response.status_code != 200:
                raise RuntimeError(response.content.decode()[:500])
        say(f"{max(own):8.0f} ms at most  {query}")
        taken += own
    for name in ("-id", "created_at", "-modified_at"):
        taken += _deep(program, name)
    return quantiles(taken, n=20)[-1]


def _queries(of: FeedbackType) -> Iterator[dict[str, str]]:
    middle = of.last_number // 2
    for query in (
        {},
        {"type": str(of.pk)},
        {"open": "true"},
        {"status": "Closed", "type": "Bug Report"},
        {"visibility": "private"},
        {"field_severity": "Critical"},
        {"external_jira_key": f"NW-{middle // 4 * 4}"},
        {"reference": f"BUG-{middle}"},
        {"submitter_email": "tester55@example.com"},
        {"created_after": "2026-01-01", "page_size": "200"},
    ):
        for order in ("-id", "created_at", "-created_at", "modified_at"):
            yield {**query, "ordering": order}


def _deep(program: Client, order: str) -> list[float]:
    """Page after page, by the addresses in `next`; from the first after the last."""
    url = first = f"{_URL}?ordering={order}&page_size=200"
    taken = []
    for _ in range(_TIMES):
        begun = time.monotonic()
        response = program.get(url)
        taken.append((time.monotonic() - begun) * 1e3)
        url = response.json()["next"] or first
    return taken
