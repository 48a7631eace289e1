"""What goes by age, beside clocks that disagree."""

from __future__ import annotations

import logging
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from centerhook.doctor import processes
from feedback.models import FeedbackType
from logs.models import (
    Attempt,
    Delivery,
    DeliveryCount,
    RetentionCursor,
    Run,
    RunState,
    Span,
    Transcript,
)
from logs.retention import Tier, behind, go_on, steps, whole_pass
from logs.retention.of_runs import Attempts, Bodies
from macros import jobs, queue, right_time, signs_of_life
from macros.retention import TIERS
from tests import factories
from tests.logs import aged

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def some_steps(bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch) -> Tier:
    """A tier with one row for each step, none of which may go yet."""
    monkeypatch.setattr(Bodies, "most", 2)
    monkeypatch.setattr(steps, "REST", -1)
    run = aged.run(bugs, 100, tickets=3)
    Run.objects.filter(pk=run.pk).update(state=RunState.PAUSED)
    return next(each for each in TIERS if each.name == "bodies")


def test_a_pass_that_a_clock_ends_is_not_begun_anew(some_steps: Tier) -> None:
    """Not even where the clock is ahead of whoever began it."""
    now = timezone.now()
    looked_at = []
    for _, step in whole_pass([some_steps], now):
        looked_at.append(step.looked_at)
        assert len(looked_at) < 5, "it begins again and again"
        go_on([some_steps], now + timedelta(minutes=1))
    assert looked_at == [1, 0]


def test_a_clock_that_is_behind_ends_the_pass_that_it_begins(
    some_steps: Tier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "BUDGET", 0)
    now = timezone.now()
    list(whole_pass([some_steps], now + timedelta(minutes=1)))
    RetentionCursor.objects.filter(tier="bodies").update(begun_at=None)
    positions = []
    for _ in range(4):
        go_on([some_steps], now)
        cursor = RetentionCursor.objects.get(tier="bodies")
        positions.append(cursor.position)
    pks = Delivery.objects.order_by("pk").values_list("pk", flat=True)
    assert positions == [*pks, 0]


def test_a_clock_that_is_behind_takes_up_once_what_waits_for_another(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "BUDGET", 60)
    now = timezone.now()
    list(whole_pass(TIERS[:1], now + timedelta(minutes=1)))
    go_on(TIERS, now)
    cursors = steps._cursors(TIERS, now)
    assert [each.name for each in TIERS if steps._is_due(each, cursors, now)] == []


@pytest.fixture
def errors(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Any:
    monkeypatch.setattr(right_time, "_logged_at", float("-inf"))
    caplog.set_level(logging.ERROR, "macros.right_time")
    return caplog


def in_years(years: int) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(days=365 * years))


def test_a_machine_in_another_year_deletes_nothing(
    bugs: FeedbackType, errors: pytest.LogCaptureFixture
) -> None:
    run, at = aged.run(bugs, 1), aged.ago(1)
    DeliveryCount.objects.create(
        span=Span.DAY, moment=at, community_id=run.community_id
    )
    with in_years(4):
        jobs.wake()
        jobs.wake()
        with pytest.raises(CommandError, match="Nothing goes by age until they agree"):
            call_command("retention", stdout=StringIO())
    assert Transcript.objects.exists() and Run.objects.filter(pk=run.pk).exists()
    assert DeliveryCount.objects.get().span == Span.DAY
    assert not RetentionCursor.objects.exclude(worked_at=None).exists()
    [sentence] = [record.getMessage() for record in errors.records]
    assert sentence.startswith(f"This machine's clock says {timezone.now().year + 4}-")


def test_the_doctor_says_so_of_this_machine(bugs: FeedbackType) -> None:
    queue.redis().flushdb()
    assert not list(processes.clocks_of_machines(timezone.now()))
    with in_years(4):
        [finding] = processes.clocks_of_machines(timezone.now())
    assert finding.id == "clocks_apart" and "Nothing goes by age" in finding.sentence


def test_each_of_the_clocks_that_all_share_is_asked(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    assert right_time.doubt(now) == ""
    assert right_time.doubt(now + timedelta(minutes=58)) == ""
    for hours in (-2, 2):
        assert "clock says" in right_time.doubt(now + timedelta(hours=hours))
    if connection.vendor == "postgresql":
        other = now + timedelta(hours=2)
        monkeypatch.setattr(signs_of_life, "time_of", lambda _: other.timestamp())
        assert "the database's says" in right_time.doubt(other)
    other = now - timedelta(hours=2)
    monkeypatch.setattr(signs_of_life, "time_of", lambda _: other.timestamp())
    assert "Redis' says" in right_time.doubt(now)


@pytest.mark.parametrize("name", steps._MOMENTS)
def test_what_a_wrong_clock_has_noted_holds_up_nothing(
    bugs: FeedbackType, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "BUDGET", 60)
    now = timezone.now()
    go_on(TIERS, now - timedelta(days=1))
    RetentionCursor.objects.update(**{name: now + timedelta(days=1_000)})
    aged.run(bugs, 400)
    if name == "ended_at":
        late = [each.name for each in behind(TIERS, now)]
        assert late == ["bodies", "attempts"]
    go_on(TIERS, now)
    assert not Transcript.objects.exists() and not Attempt.objects.exists()
    assert not RetentionCursor.objects.filter(
        **{f"{name}__gt": now + steps.APART}
    ).exists()


def test_rows_of_another_year_hide_none_that_come_after_them(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Attempts, "most", 2)
    ahead_of_time = aged.run(bugs, -1_000, tickets=4)
    old, young = aged.run(bugs, 400), aged.run(bugs, 1, tickets=3)
    Transcript.objects.all().delete()
    attempts = next(each for each in TIERS if each.name == "attempts")
    steps_of = [step.looked_at for _, step in whole_pass([attempts], timezone.now())]
    left = Attempt.objects.values_list("delivery__run", flat=True)
    assert set(left) == {ahead_of_time.pk, young.pk} and old.pk not in left
    # Four rows of another year, five old ones, and eight that are young.
    assert steps_of == [2] * 6
