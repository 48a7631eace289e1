"""What is older than its days goes, step by step; what is still needed stays."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from feedback.models import FeedbackType
from logs.models import (
    Attempt,
    AuditEntry,
    Delivery,
    DeliveryCount,
    RetentionCursor,
    RetentionPolicy,
    Run,
    RunChange,
    RunPayload,
    RunState,
    Transcript,
)
from logs.retention import (
    Kept,
    Limits,
    behind,
    go_on,
    partitions,
    problems,
    rehearse,
    steps,
    take_step,
    tier,
    whole_pass,
)
from logs.retention.of_runs import Bodies, Deliveries, Runs
from macros import jobs
from macros.models import Macro
from macros.retention import TIERS
from tests import factories
from tests.logs import aged

pytestmark = pytest.mark.django_db

NAMES = [each.name for each in TIERS]


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture(autouse=True)
def short(settings: Any) -> None:
    settings.BODIES_KEPT_DAYS = 20
    settings.ATTEMPTS_KEPT_DAYS = 40
    settings.DELIVERIES_KEPT_DAYS = 80
    settings.INBOUND_KEPT_DAYS = 20
    settings.AUDIT_KEPT_DAYS = 400


def all_at_once() -> Counter[str]:
    removed: Counter[str] = Counter()
    for each, step in whole_pass(TIERS, timezone.now()):
        removed[each.name] += step.removed
    return +removed


def own(of: FeedbackType, **days: int) -> None:
    columns = {f"{name}_days": value for name, value in days.items()}
    RetentionPolicy.objects.create(community=of.project.community, **columns)


def left(of: Run) -> dict[str, int]:
    return {
        "transcripts": Transcript.objects.filter(delivery__run=of).count(),
        "attempts": Attempt.objects.filter(delivery__run=of).count(),
        "deliveries": Delivery.objects.filter(run=of).count(),
        "run": Run.objects.filter(pk=of.pk).count(),
    }


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (19, (2, 2, 2, 1)),
        (21, (0, 2, 2, 1)),
        (39, (0, 2, 2, 1)),
        (41, (0, 0, 2, 1)),
        (79, (0, 0, 2, 1)),
        (81, (0, 0, 0, 0)),
    ],
)
def test_a_run_goes_in_parts(
    bugs: FeedbackType, days: int, expected: tuple[int, ...]
) -> None:
    run = aged.run(bugs, days, tickets=2)
    all_at_once()
    assert tuple(left(run).values()) == expected


def test_what_started_a_run_goes_with_it(bugs: FeedbackType) -> None:
    run, kept = aged.run(bugs, 81), aged.run(bugs, 79)
    for each in (run, kept):
        RunChange.objects.create(run=each, feedback=bugs.tickets.first())
        RunPayload.objects.create(run=each, text="{}")
    all_at_once()
    assert list(RunChange.objects.values_list("run", flat=True)) == [kept.pk]
    assert list(RunPayload.objects.values_list("run", flat=True)) == [kept.pk]


@pytest.mark.parametrize(
    "state",
    [
        RunState.ACTIVE,
        RunState.PAUSED,
        RunState.CANCELLING,
        RunState.UNCONFIRMED,
    ],
)
def test_nothing_goes_of_a_run_that_is_not_over(
    bugs: FeedbackType, state: RunState
) -> None:
    run = aged.run(bugs, 1_000, tickets=2)
    Run.objects.filter(pk=run.pk).update(state=state)
    before = left(run)
    assert not all_at_once() and left(run) == before


def test_a_delivery_that_is_leased_stays(bugs: FeedbackType) -> None:
    run = aged.run(bugs, 81)
    Delivery.objects.update(lease="mine")
    all_at_once()
    assert tuple(left(run).values()) == (0, 0, 1, 1)


def test_a_resend_makes_all_that_is_left_stay(bugs: FeedbackType) -> None:
    run = aged.run(bugs, 81)
    rows = Run.objects.filter(pk=run.pk)
    rows.update(state=RunState.ACTIVE, finished_at=None)
    Delivery.objects.update(state="pending", finished_at=None)
    assert not all_at_once()
    assert tuple(left(run).values()) == (1, 1, 1, 1)


@pytest.mark.parametrize("asks", ["macro", "trigger", "schedule"])
def test_what_keeps_from_sending_twice_stays(bugs: FeedbackType, asks: str) -> None:
    macro = factories.macro(bugs, "https://example.com/")
    values: dict[str, Any] = {}
    if asks == "macro":
        Macro.objects.filter(pk=macro.pk).update(once_per_subject=True)
    elif asks == "trigger":
        values["trigger"] = factories.trigger(macro, once_per_subject=True)
    else:
        values["schedule"] = factories.schedule(macro, only_undelivered=True)
    run = aged.run(macro, 1_000, **values)
    all_at_once()
    assert tuple(left(run).values()) == (0, 0, 1, 1)
    Macro.objects.all().delete()
    all_at_once()
    assert not Run.objects.filter(pk=run.pk).exists()


def test_the_last_run_of_a_schedule_stays(bugs: FeedbackType) -> None:
    macro = factories.macro(bugs, "https://example.com/")
    schedule = factories.schedule(macro)
    older = aged.run(macro, 900, schedule=schedule)
    newest = aged.run(macro, 800, schedule=schedule)
    all_at_once()
    assert list(Run.objects.all()) == [newest] and older != newest


def test_figures_stay(bugs: FeedbackType) -> None:
    factories.one_of_everything(bugs)
    figures = list(DeliveryCount.objects.values())
    Run.objects.update(state=RunState.FINISHED)
    assert figures
    Run.objects.update(created_at=aged.ago(900), finished_at=aged.ago(900))
    Delivery.objects.update(finished_at=aged.ago(900), lease="")
    Transcript.objects.all().delete()
    Attempt.objects.update(started_at=aged.ago(900))
    assert all_at_once()["runs"]
    assert list(DeliveryCount.objects.values()) == figures


def test_a_community_keeps_for_fewer_days_and_never_for_more(
    bugs: FeedbackType,
) -> None:
    ideas, praise = factories.feedback_type(), factories.feedback_type()
    own(ideas, bodies=5, attempts=10)
    own(praise, attempts=1_000)
    runs = {each: aged.run(each, 30) for each in (bugs, ideas)}
    runs[praise] = aged.run(praise, 50)
    all_at_once()
    attempts = [left(runs[each])["attempts"] for each in (bugs, ideas, praise)]
    assert attempts == [1, 0, 0]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ({}, (20, 40, 80, 400)),
        ({"bodies": 5}, (5, 40, 80, 400)),
        ({"attempts": 10}, (10, 10, 80, 400)),
        ({"deliveries": 30}, (20, 30, 30, 400)),
        ({"bodies": 500, "deliveries": 500}, (20, 40, 80, 400)),
        ({"bodies": 0, "attempts": 0, "audit": 1}, (1, 7, 80, 365)),
    ],
)
def test_what_hangs_on_something_goes_with_it_at_the_latest(
    bugs: FeedbackType, days: dict[str, int], expected: tuple[int, ...]
) -> None:
    own(bugs, **days)
    pk = bugs.project.community_id
    limits = Limits.at(timezone.now())
    kinds = (Kept.BODIES, Kept.ATTEMPTS, Kept.DELIVERIES, Kept.AUDIT)
    assert tuple(limits.days(kept, pk) for kept in kinds) == expected


def test_the_audit_log_never_goes_below_the_floor(bugs: FeedbackType) -> None:
    own(bugs, audit=1)
    AuditEntry._base_manager.all().delete()
    entries = [aged.audit_entry(bugs, each) for each in (364, 366)]
    entries += [aged.audit_entry(None, each) for each in (399, 401)]
    assert all_at_once() == {"audit": 2}
    assert list(AuditEntry.objects.order_by("pk")) == [entries[0], entries[2]]


def test_the_audit_log_is_kept_for_ever_where_nobody_says_otherwise(
    bugs: FeedbackType, settings: Any
) -> None:
    settings.AUDIT_KEPT_DAYS = None
    aged.audit_entry(bugs, 10_000)
    assert not all_at_once()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("BODIES_KEPT_DAYS", 0, "BODIES_KEPT_DAYS is 0. "),
        ("BODIES_KEPT_DAYS", "soon", "BODIES_KEPT_DAYS is soon. "),
        ("BODIES_KEPT_DAYS", None, "BODIES_KEPT_DAYS is None. "),
        ("ATTEMPTS_KEPT_DAYS", 6, "from 7 to 36500"),
        ("DELIVERIES_KEPT_DAYS", -1, "from 30 to 36500"),
        ("INBOUND_KEPT_DAYS", 10**12, "from 1 to 36500"),
        ("AUDIT_KEPT_DAYS", 364, "from 365 to 36500"),
        ("BODIES_KEPT_DAYS", 41, "ATTEMPTS_KEPT_DAYS only 40"),
        ("ATTEMPTS_KEPT_DAYS", 81, "DELIVERIES_KEPT_DAYS only 80"),
    ],
)
def test_nonsense_is_refused_and_nothing_goes(
    bugs: FeedbackType, settings: Any, name: str, value: object, words: str
) -> None:
    aged.run(bugs, 10_000)
    setattr(settings, name, value)
    [(sentence, advice)] = problems()
    assert words in sentence and advice
    before = Attempt.objects.count()
    assert not go_on(TIERS, timezone.now()) and not behind(TIERS, timezone.now())
    assert Attempt.objects.count() == before


def test_a_pass_is_linear_whatever_may_not_go(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that stay are looked at once, in steps of so many."""
    monkeypatch.setattr(Deliveries, "most", 3)
    run = aged.run(bugs, 1_000, tickets=10)
    Run.objects.filter(pk=run.pk).update(state=RunState.PAUSED)
    deliveries = next(each for each in TIERS if each.name == "deliveries")
    looked_at = [step.looked_at for _, step in whole_pass([deliveries], timezone.now())]
    assert looked_at == [3, 3, 3, 1, 0]


def test_a_pass_ends_where_the_rest_is_too_young(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Deliveries, "most", 2)
    aged.run(bugs, 100, tickets=2)
    aged.run(bugs, 1, tickets=20)
    deliveries = next(each for each in TIERS if each.name == "deliveries")
    looked_at = [step.looked_at for _, step in whole_pass([deliveries], timezone.now())]
    assert looked_at == [2, 2]


def test_a_step_takes_as_many_statements_however_many_rows_go(
    bugs: FeedbackType,
) -> None:
    all_at_once()
    counts = []
    for tickets in (2, 30):
        aged.run(bugs, 50, tickets=tickets)
        with CaptureQueriesContext(connection) as seen:
            all_at_once()
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_the_clock_goes_on_where_it_was_and_begins_anew_after_an_hour(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "BUDGET", 0)
    monkeypatch.setattr(steps, "REST", -1)
    now = timezone.now()
    for _ in NAMES:
        go_on(TIERS, now)
    ended = RetentionCursor.objects.exclude(ended_at=None)
    assert sorted(ended.values_list("tier", flat=True)) == sorted(NAMES)
    run = aged.run(bugs, 50)
    assert go_on(TIERS, now + timedelta(minutes=59)) == 0 and left(run)["attempts"]
    for _ in NAMES:
        go_on(TIERS, now + timedelta(minutes=60))
    assert not left(run)["transcripts"] and not left(run)["attempts"]


def test_work_is_followed_by_nine_times_as_long_a_rest(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, ticks = timezone.now(), iter([100.0, 100.05, 102.0])
    monkeypatch.setattr(steps, "monotonic", lambda: next(ticks))
    go_on(TIERS, now)
    turn = RetentionCursor.objects.get(tier="turn")
    assert turn.rests_until == now + timedelta(seconds=20)
    worked = RetentionCursor.objects.exclude(worked_at=None).count()
    assert worked == 2
    go_on(TIERS, now + timedelta(seconds=19))
    assert RetentionCursor.objects.exclude(worked_at=None).count() == worked


def test_of_two_clocks_one_has_the_turn(bugs: FeedbackType) -> None:
    now = timezone.now()
    assert steps._take_turn(steps._cursors(TIERS, now)["turn"], now)
    aged.run(bugs, 50)
    assert go_on(TIERS, now) == 0
    # Whoever took it and died has it for a while only.
    assert go_on(TIERS, now + timedelta(minutes=1)) > 0


def test_the_clock_does_it(bugs: FeedbackType) -> None:
    run = aged.run(bugs, 50)
    jobs.wake()
    assert left(run)["transcripts"] == 0


def test_a_dry_run_counts_what_then_goes(bugs: FeedbackType) -> None:
    ideas = factories.feedback_type()
    own(ideas, attempts=10, bodies=10)
    for of, days in ((bugs, 90), (bugs, 50), (bugs, 15), (ideas, 15)):
        aged.run(of, days, tickets=2)
    factories.inbound_call(
        factories.listener(bugs), state="done", received_at=aged.ago(30)
    )
    expected: Counter[str] = Counter()
    for each in TIERS:
        *_, tallies = rehearse(each, Limits.at(timezone.now()))
        expected[each.name] += sum(tally.rows for tally in tallies.values())
        assert all(tally.bytes > 0 for tally in tallies.values())
    assert expected["attempts"] and expected["runs"] == 1 and expected["calls"]
    assert all_at_once() == +expected


def test_a_glance_at_the_oldest_says_that_there_are_more(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Deliveries, "most", 2)
    aged.run(bugs, 90, tickets=5)
    deliveries = next(each for each in TIERS if each.name == "deliveries")
    pk = bugs.project.community_id
    *_, tallies = rehearse(deliveries, Limits.at(timezone.now(), pk), pk, most=2)
    assert (tallies[pk].rows, tallies[pk].is_more) == (2, True)


def test_what_is_behind_is_said_until_it_is_gone(bugs: FeedbackType) -> None:
    now = timezone.now()
    aged.run(bugs, 20.5)
    assert behind(TIERS, now) == []
    aged.run(bugs, 42)
    assert [each.name for each in behind(TIERS, now)] == ["bodies", "attempts"]
    all_at_once()
    assert behind(TIERS, now) == []


def test_a_step_leaves_its_place_to_the_next_one(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Runs, "most", 1)
    runs = [aged.run(bugs, 100 - each) for each in range(2)]
    Delivery.objects.all().delete()
    last = next(each for each in TIERS if each.name == "runs")
    steps._cursors(TIERS, timezone.now())
    gone = []
    for _ in range(3):
        take_step(last, Limits.at(timezone.now()))
        gone.append(len(runs) - Run.objects.count())
    assert gone == [1, 2, 2]
    assert Runs.most < tier.STEP


def test_a_pass_waits_for_one_of_what_hangs_on_its_rows(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "BUDGET", 0)
    monkeypatch.setattr(steps, "REST", -1)
    monkeypatch.setattr(Bodies, "most", 1)
    aged.run(bugs, 100, tickets=3)
    now, chain = timezone.now(), TIERS[:3]
    counts = []
    while Delivery.objects.exists():
        go_on(chain, now)
        counts.append((Transcript.objects.count(), Attempt.objects.count()))
    assert counts[:5] == [(2, 3), (1, 3), (0, 3), (0, 3), (0, 0)]


def test_a_delivery_with_more_than_fit_a_step_goes_too(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Bodies, "most", 3)
    run = aged.run(bugs, 30, tickets=2)
    for delivery in run.deliveries.all():
        more = [aged.attempt(delivery, aged.ago(30), number=n) for n in range(2, 6)]
        Attempt.objects.write(more)
    all_at_once()
    all_at_once()
    assert tuple(left(run).values())[:2] == (0, 10)


@pytest.mark.skipif(not partitions.are_used(), reason="SQLite has no partitions.")
@pytest.mark.parametrize(
    ("own_days", "runs_at", "dropped"),
    [(None, None, True), (10, None, True), (None, 100, False), (None, 1, True)],
)
def test_a_month_goes_at_once_where_all_of_it_may(
    bugs: FeedbackType, own_days: int | None, runs_at: int | None, dropped: bool
) -> None:
    partitions.make_room(aged.ago(100))
    oldest = min(partitions.months())
    if own_days:
        own(bugs, bodies=own_days)
    run = aged.run(bugs, 100)
    if runs_at:
        other = aged.run(factories.feedback_type(), runs_at)
        Run.objects.filter(pk=other.pk).update(state=RunState.PAUSED)
    Bodies().begin(Limits.at(timezone.now()))
    assert (oldest not in partitions.months()) is dropped
    assert (left(run)["transcripts"] == 0) is dropped
