"""From a ticket that is saved to what arrives, also where the server is killed."""

from __future__ import annotations

import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import pytest
from django.db import connection
from django.urls import reverse

from centerhook.demo.browser import Browser
from centerhook.demo.errors import DemoError
from centerhook.receiver import Receiver
from feedback.models import Feedback, FeedbackType
from logs.models import AuditEntry, Delivery, Run
from macros.models import Event, Trigger
from tests import factories
from tests.processes.accounts import Account, moments, scaled, settled
from tests.processes.conftest import wait_until
from tests.processes.test_kills import PATIENT, Web

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

Start = Callable[..., subprocess.Popen[bytes]]
# After so many milliseconds of saving the server is killed.
LONGEST = 1_500
EDITS = 3


def triggers_on(bugs: FeedbackType, receiver: Receiver) -> tuple[Trigger, Trigger]:
    """One on each ticket that is submitted, one on each that is edited."""
    submitted, modified = (
        factories.trigger(
            factories.macro(bugs, f"{receiver.url}/ok", ladder=PATIENT), event
        )
        for event in (Event.SUBMITTED, Event.MODIFIED)
    )
    return submitted, modified


class Writer:
    """A person who submits tickets and edits each, until nobody responds."""

    def __init__(self, browser: Browser, bugs: FeedbackType) -> None:
        self._browser = browser
        self._add = f"{reverse('admin:feedback_feedback_add')}?type={bugs.pk}"
        self._form = browser.get(self._add).form("feedback_form")
        self.saved = 0

    def submit(self) -> None:
        self._post(self._add, "Submitted")

    def edit(self, ticket: Feedback, title: str) -> None:
        page = reverse("admin:feedback_feedback_change", args=[ticket.pk])
        self._post(page, title)

    def _post(self, page: str, title: str) -> None:
        fields = self._form.filled(title=title, visibility="public")
        self._browser.post(page, fields)
        self.saved += 1

    def go_on(self) -> None:
        with suppress(DemoError):
            while True:
                self.submit()
                newest = Feedback.objects.latest("pk")
                for number in range(EDITS):
                    self.edit(newest, f"Edit {number} of {newest.pk}")
        connection.close()


def test_a_ticket_submitted_in_the_admin_arrives(
    start: Start, receiver: Receiver
) -> None:
    factories.superuser("olivia")
    bugs = factories.feedback_type()
    trigger, _ = triggers_on(bugs, receiver)
    start("worker")
    web = Web(start, bugs)

    Writer(web.browser, bugs).submit()

    wait_until(lambda: len(receiver.ids) == 1)
    [run] = Run.objects.all()
    assert (run.trigger, run.deliveries.get().feedback) == (
        trigger,
        Feedback.objects.get(),
    )
    wait_until(lambda: settled(run))


def test_a_web_server_killed_while_tickets_are_saved_leaves_changes_with_their_runs(
    start: Start, receiver: Receiver, account: Account
) -> None:
    factories.superuser("olivia")
    bugs = factories.feedback_type()
    submitted, modified = triggers_on(bugs, receiver)
    delays = moments(scaled(2, 15), LONGEST)

    for milliseconds in delays:
        web = Web(start, bugs)
        writer = Writer(web.browser, bugs)
        saving = threading.Thread(target=writer.go_on)
        saving.start()
        wait_until(lambda writer=writer: writer.saved)
        time.sleep(milliseconds / 1000)
        web.kill()
        saving.join()

    # Each change is in the audit log, which is written in its transaction.
    changes = AuditEntry.objects.filter(object_type="feedback.feedback")
    edits = changes.filter(action="changed")
    edited = Counter(edits.values_list("object_id", flat=True))
    tickets = Counter(Feedback.objects.values_list("pk", flat=True))
    assert len(tickets) >= len(delays)
    assert subjects(submitted) == tickets
    assert subjects(modified) == edited and edited
    runs = list(Run.objects.all())
    assert submitted.decisions.count() == len(tickets)

    start("worker")
    start("clock")
    wait_until(lambda: settled(*runs), 120)
    repeats = account.settle(*runs, arrived=receiver.ids, blows=len(delays))
    assert repeats == 0


def subjects(trigger: Trigger) -> Counter[int | None]:
    """How many runs it started on each ticket."""
    rows = Delivery.objects.filter(run__trigger=trigger)
    return Counter(rows.values_list("feedback", flat=True))
