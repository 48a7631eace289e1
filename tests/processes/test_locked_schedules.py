"""A clock that is busy with a schedule holds up no other. Only on PostgreSQL."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from macros.models import Rate, Schedule
from macros.schedules.due import start_due
from tests import factories

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]


def test_what_another_clock_has_locked_is_passed_over() -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    macro = factories.macro(bugs, "https://a.example/")
    start_at = timezone.now() + timedelta(hours=1)
    busy, free = (
        factories.schedule(macro, rate=Rate.MINUTES, start_at=start_at) for _ in "ab"
    )
    Schedule.objects.update(next_run_at=timezone.now())
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Schedule.objects.select_for_update(no_key=True).get(pk=busy.pk)
            locked.set()
            done.wait(60)
        connection.close()

    other = threading.Thread(target=hold)
    other.start()
    try:
        assert locked.wait(60)
        start_due()
    finally:
        done.set()
        other.join()
    assert (busy.occurrences.count(), free.occurrences.count()) == (0, 1)
    start_due()
    assert busy.occurrences.count() == 1
