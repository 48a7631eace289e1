"""The main job, done as a person does it: filter, Perform Action, confirm, look.

And a ticket is submitted, for which a trigger sends a message without a click; whoever
receives it closes the issue there, and the ticket closes.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests
from django.db.models import OuterRef, Subquery

from feedback.models import Feedback
from logs.models import Attempt, Cause, Delivery, DeliveryState, Run, delivery_id

from .browser import Browser
from .errors import DemoError
from .seed import Demo
from .stopping import pause

LIST = "/admin/feedback/feedback/"
# How long the deliveries may take, in seconds.
MAX_WAIT = 120.0
ROWS = 30
CRITICAL_BUG = {
    "title": "The app closes when a route is saved",
    "description": "Every time, since the update of this morning.",
    "visibility": "public",
    "field_severity": "Critical",
}


@dataclass
class Result:
    """A run, and what the log and the receiver know of each delivery."""

    run: Run
    rows: list[dict[str, Any]]
    # Since the click that led to it.
    seconds: float

    @property
    def delivered(self) -> int:
        """How many are delivered according to the log, and known to the receiver."""
        return sum(row["went_well"] for row in self.rows)

    @property
    def is_complete(self) -> bool:
        return self.delivered == self.run.total > 0

    def __str__(self) -> str:
        return f"delivered {self.delivered} of {self.run.total}"

    def table(self) -> Iterator[str]:
        yield "Ticket     State      Status Tries     ms  Received"
        for row in self.rows[:ROWS]:
            yield (
                f"{row['subject_label']:<10} {row['state']:<10}"
                f" {row['last_status'] or '-':>6} {row['attempts']:>5}"
                f" {_or_dash(row['ms']):>6}  {'yes' if row['received'] else 'no'}"
            )
        if len(self.rows) > ROWS:
            yield f"and {len(self.rows) - ROWS} more"


def _or_dash(value: object) -> object:
    return "-" if value is None else value


def perform(demo: Demo, browser: Browser, receiver_url: str) -> Result:
    """Send the open critical bugs through the admin, and check both ends."""
    began = time.monotonic()
    return _result(_start_run(browser, demo), receiver_url, began)


def submit(demo: Demo, browser: Browser, receiver_url: str) -> Result | None:
    """Submit a critical bug in the admin, and check what its trigger sends.

    None where nobody waits for it any more. Raises DemoError where it is not saved.
    """
    newest = Run.objects.values_list("pk", flat=True).first() or 0
    form = f"/admin/feedback/feedback/add/?type={demo.feedback_type.pk}"
    fields = browser.get(form).form("feedback_form").filled(**CRITICAL_BUG)
    began = time.monotonic()
    saved = browser.post(form, fields)
    if "/add/" in saved.url:
        raise DemoError(f"The ticket was not saved. {saved.messages}".rstrip())
    run = Run.objects.filter(pk__gt=newest, cause=Cause.TRIGGER).first()
    return _result(run.pk, receiver_url, began) if run else None


def close(result: Result, receiver_url: str) -> str:
    """Press the receiver's button at what it received, and wait for the ticket.

    Returns its reference once a listener has closed it, or else an empty string.
    """
    delivery = Delivery.objects.filter(run=result.run).exclude(feedback=None).first()
    if delivery is None or delivery.feedback_id is None:
        return ""
    form = {"ticket": delivery.feedback_id}
    requests.post(f"{receiver_url}/close", form, timeout=30)
    open_one = Feedback.objects.filter(pk=delivery.feedback_id, status__is_open=True)
    deadline = time.monotonic() + MAX_WAIT
    while open_one.exists():
        if time.monotonic() >= deadline:
            return ""
        pause()
    return delivery.subject_label


def _result(pk: int, receiver_url: str, began: float) -> Result:
    run = _settled(pk)
    seconds = time.monotonic() - began
    arrivals = requests.get(f"{receiver_url}/received.json", timeout=30).json()["ids"]
    return Result(run, list(_rows(run, arrivals)), seconds)


def signed_in(demo: Demo, web_url: str) -> Browser:
    browser = Browser(web_url)
    login = browser.get("/admin/login/?next=/admin/")
    fields = login.form("login-form").filled(
        username=demo.username, password=demo.password
    )
    if "/login/" in browser.post("/admin/login/?next=/admin/", fields).url:
        raise DemoError(f"The admin did not let {demo.username} in.")
    return browser


def _start_run(browser: Browser, demo: Demo) -> int:
    """Choose the macro for all that the filter finds, and confirm."""
    filtered = f"{LIST}?type={demo.feedback_type.pk}&open=true"
    filtered += "&field_severity=Critical"
    tickets = browser.get(filtered).form("changelist-form")
    chosen = tickets.filled(action=f"macro_{demo.macro.pk}", select_across="1")
    confirmation = browser.post(filtered, [*chosen, ("index", "0")])
    confirmed = confirmation.form("perform-action").filled()
    url = browser.post(filtered, confirmed).url
    run = re.search(r"/logs/run/(\d+)/", url)
    if run is None:
        raise DemoError(f"Performing the action led to {url}, not to a run.")
    return int(run[1])


def _settled(pk: int) -> Run:
    """The run once all its deliveries have ended, or after MAX_WAIT."""
    deadline = time.monotonic() + MAX_WAIT
    run = Run.objects.get(pk=pk)
    while not run.is_settled and time.monotonic() < deadline:
        pause()
        run.refresh_from_db()
    return run


def _rows(run: Run, arrivals: dict[str, int]) -> Iterator[dict[str, Any]]:
    last = Attempt.objects.filter(delivery=OuterRef("pk")).order_by("-pk")
    deliveries = Delivery.objects.filter(run=run).order_by("pk")
    fields = ["pk", "subject_label", "state", "last_status", "attempts"]
    for row in deliveries.values(*fields, ms=Subquery(last.values("total_ms")[:1])):
        row["received"] = delivery_id(run.key, row["pk"]) in arrivals
        row["went_well"] = row["received"] and row["state"] == DeliveryState.DELIVERED
        yield row
