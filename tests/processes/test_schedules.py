"""Real clocks that disagree about the time, on one database."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from feedback.models import FeedbackType
from logs.models import Run
from macros.models import OccurrenceOutcome, Overlap, Rate, Schedule
from tests import factories
from tests.processes.accounts import scaled
from tests.processes.conftest import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

Start = Callable[..., subprocess.Popen[bytes]]
# The clock of a machine that is so many seconds ahead.
AHEAD = """
import sys
from datetime import datetime, timedelta, timezone
import django
import time_machine
from django.core.management import call_command
moment = datetime.now(timezone.utc) + timedelta(seconds=float(sys.argv[1]))
with time_machine.travel(moment, tick=True):
    django.setup()
    call_command("clock")
"""


@pytest.fixture
def bugs(transactional_db: None) -> FeedbackType:
    made = factories.feedback_type()
    factories.tickets(made, 2)
    return made


def two_clocks(start: Start) -> list[subprocess.Popen[bytes]]:
    """The first one is a minute ahead."""
    settings = {"DJANGO_SETTINGS_MODULE": "centerhook.settings"}
    return [start(command=("-c", AHEAD, "60"), **settings), start("clock")]


def planned(bugs: FeedbackType, count: int, seconds: int, every: int) -> list[Schedule]:
    """Their first moments come after so many seconds, one shortly after the other."""
    macro = factories.macro(bugs, "https://a.example/")
    soon = timezone.now() + timedelta(seconds=seconds)
    rate = {"rate": Rate.MINUTES, "every": every, "overlap": Overlap.START}
    return [
        factories.schedule(
            macro, start_at=soon + timedelta(milliseconds=50 * n), **rate
        )
        for n in range(count)
    ]


def wait_for_the_first(bugs: FeedbackType) -> None:
    """Until the clock that is ahead is at work: only it starts what is for then."""
    [probe] = planned(bugs, 1, seconds=50, every=60)
    wait_until(lambda: started(probe), 60)


def end(*clocks: subprocess.Popen[bytes]) -> None:
    for clock in clocks:
        clock.kill()
        clock.wait()


def started(schedule: Schedule) -> list[datetime]:
    rows = schedule.occurrences.filter(outcome=OccurrenceOutcome.STARTED)
    return list(rows.order_by("pk").values_list("scheduled_for", flat=True))


def assert_each_once(schedule: Schedule, moments: int) -> None:
    """A run for each of the first moments, in order, and none besides."""
    rate = timedelta(minutes=schedule.every)
    expected = [schedule.start_at + number * rate for number in range(moments)]
    assert started(schedule)[:moments] == expected
    runs = Run.objects.filter(schedule=schedule).order_by("pk")
    assert list(runs.values_list("scheduled_for", flat=True)) == started(schedule)
    assert not schedule.occurrences.exclude(outcome=OccurrenceOutcome.STARTED).exists()
    schedule.refresh_from_db()
    assert schedule.next_run_at == schedule.start_at + len(runs) * rate


def test_two_clocks_a_minute_apart_start_each_moment_once(
    start: Start, bugs: FeedbackType
) -> None:
    """The one that is right comes to every moment a minute after the other."""
    clocks = two_clocks(start)
    wait_for_the_first(bugs)
    schedules = planned(bugs, scaled(10, 100), seconds=scaled(8, 30), every=1)

    moments = scaled(2, 4)
    wait_until(lambda: all(len(started(each)) >= moments for each in schedules), 400)
    last = max(each.start_at for each in schedules)
    wait_until(lambda: timezone.now() > last + timedelta(seconds=2), 60)
    end(*clocks)
    for each in schedules:
        assert_each_once(each, moments)


@pytest.mark.sweep
def test_an_edit_while_two_clocks_are_at_work_leaves_no_run_at_the_old_rate(
    start: Start, bugs: FeedbackType
) -> None:
    two_clocks(start)
    wait_for_the_first(bugs)
    schedules = planned(bugs, scaled(20, 200), seconds=4, every=1)

    by_then, hour = {}, timedelta(hours=1)
    for each in schedules:
        each.start_at += hour
        each.save()
        by_then[each.pk] = started(each)
    last = max(each.start_at for each in schedules) - hour
    wait_until(lambda: timezone.now() > last + timedelta(seconds=2), 60)

    assert {each.pk: started(each) for each in schedules} == by_then
    for each in schedules:
        each.refresh_from_db()
        assert each.next_run_at == each.start_at


@pytest.mark.sweep
def test_a_clock_that_is_killed_at_work_leaves_whole_runs_and_loses_no_moment(
    start: Start, bugs: FeedbackType
) -> None:
    factories.tickets(bugs, scaled(200, 2000))
    schedules = planned(bugs, scaled(20, 100), seconds=20, every=60)
    clocks = two_clocks(start)
    for part in range(1, scaled(2, 5)):
        enough = len(schedules) * part // 5
        wait_until(lambda n=enough: sum(map(bool, map(started, schedules))) >= n, 60)
        end(clocks.pop(0))
        clocks += two_clocks(start)

    wait_until(lambda: all(map(started, schedules)), 120)
    end(*clocks)
    runs = Run.objects.all()
    assert set(runs.values_list("total", flat=True)) == {bugs.tickets.count()}
    for each in schedules:
        assert_each_once(each, 1)
