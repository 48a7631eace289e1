"""What pages read from the figures, and how the clock keeps them few and true."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from feedback.access.roles import Role
from feedback.models import Feedback, FeedbackType, Status
from logs.figures import keeping, tickets
from logs.figures.deliveries import Totals, busiest, figures, pairs, summed, visible_to
from logs.figures.failing import failing as failing_of
from logs.figures.latency import percentile
from logs.figures.periods import Period
from logs.models import Attempt, DeliveryCount, Destination, Span, TicketCount
from logs.recording import counts
from tests import factories

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


def add(
    of: FeedbackType,
    at: datetime,
    *,
    project: int | None = None,
    macro: int = 1,
    destination: int = 1,
    **tally: int,
) -> None:
    hour = at.replace(minute=0)
    owner = of.project_id if project is None else project
    key = ("hour", hour, of.project.community_id, owner, macro, destination)
    counts.add({key: Counter(tally)})


@pytest.mark.parametrize(
    ("given", "share", "expected"),
    [
        ({}, 50, ""),
        ({"ms_10": 1}, 50, "up to 10 ms"),
        ({"ms_10": 1, "ms_300": 1}, 50, "up to 10 ms"),
        ({"ms_10": 1, "ms_300": 1}, 95, "up to 300 ms"),
        ({"ms_50": 95, "ms_1500": 5}, 95, "up to 50 ms"),
        ({"ms_50": 94, "ms_1500": 6}, 95, "up to 1.5 s"),
        ({"ms_over": 3}, 50, "over 30 s"),
        ({"ms_2000": 1, "delivered": 99}, 50, "up to 2 s"),
    ],
)
def test_a_percentile_is_the_bucket_that_holds_it(
    given: dict[str, int], share: int, expected: str
) -> None:
    assert percentile(given, share).replace("\N{NO-BREAK SPACE}", " ") == expected


@pytest.mark.parametrize(
    ("delivered", "failed", "expected"),
    [
        (0, 0, ""),
        (1, 0, "100 %"),
        (0, 5, "0 %"),
        (9999, 1, "99.9 %"),
        (1, 9999, "0.1 %"),
        (1, 2, "33.3 %"),
    ],
)
def test_the_rate_says_100_only_where_nothing_failed(
    delivered: int, failed: int, expected: str
) -> None:
    rate = Totals(Counter(delivered=delivered, failed=failed, skipped=7)).success_rate
    assert rate == expected


@pytest.mark.parametrize("text", [None, "", "1y", "24h\0", "7D", "💥" * 1000])
def test_rubbish_for_a_period_means_the_last_day(text: str | None) -> None:
    assert Period.named(text) is Period.DAY


@pytest.mark.parametrize(("period", "parts"), [("24h", 24), ("7d", 168), ("30d", 30)])
def test_a_period_has_its_parts_and_nothing_older(
    bugs: FeedbackType, period: str, parts: int
) -> None:
    chosen = Period.named(period)
    first = chosen.starts(NOW)[0]
    add(bugs, NOW, delivered=2)
    add(bugs, first, failed=3, last_failed=9)
    add(bugs, first - HOUR, failed=50, last_failed=99)
    with CaptureQueriesContext(connection) as queries:
        result = figures(DeliveryCount.objects.all(), chosen, NOW)
    assert len(queries) == 1
    assert len(result.parts) == parts
    assert (result.parts[0][1].failed, result.parts[-1][1].delivered) == (3, 2)
    assert (result.total.ended, result.total.last_failed) == (5, 9)


def test_hours_become_days_and_no_sum_changes(bugs: FeedbackType) -> None:
    for back in range(0, 24 * 12):
        add(bugs, NOW - back * HOUR, delivered=back, ms_10=1, last_failed=back)
    before = figures(DeliveryCount.objects.all(), Period.MONTH, NOW)
    while keeping.roll_up(NOW):
        pass
    after = figures(DeliveryCount.objects.all(), Period.MONTH, NOW)
    assert after == before
    hours = DeliveryCount.objects.filter(span=Span.HOUR)
    week = Period.WEEK.starts(NOW)[0]
    assert hours.filter(moment__gte=week).count() == 7 * 24
    assert hours.count() < 8 * 24
    assert DeliveryCount.objects.filter(span=Span.DAY).count() == 5


def test_a_step_of_rolling_is_bounded_and_the_next_goes_on(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "STEP", 10)
    old = NOW.replace(hour=0) - timedelta(days=20)
    for hour in range(24):
        add(bugs, old + hour * HOUR, delivered=1, failed=1, last_failed=hour + 1)
    steps = 0
    while keeping.roll_up(NOW):
        steps += 1
    [day] = DeliveryCount.objects.all()
    assert (steps, day.delivered, day.last_failed) == (3, 24, 24)


@override_settings(TIME_ZONE="America/New_York")
def test_days_are_those_of_the_time_zone(bugs: FeedbackType) -> None:
    # 4 November, 03:00 UTC is the evening of the 3rd there.
    add(bugs, datetime(2026, 11, 4, 3, tzinfo=UTC), delivered=1)
    keeping.roll_up(NOW)
    [row] = DeliveryCount.objects.all()
    assert row.moment == datetime(2026, 11, 3, 5, tzinfo=UTC)


def test_what_is_older_than_a_year_goes(bugs: FeedbackType) -> None:
    """Days go into the total of what ever was, which never falls."""
    for days in (10, keeping.KEPT_DAYS + 2, keeping.KEPT_DAYS + 3):
        add(bugs, NOW - timedelta(days=days), delivered=1)
        TicketCount.objects.create(
            day=(NOW - timedelta(days=days)).date(),
            feedback_type=bugs,
            count=1,
            taken_at=NOW,
        )
    keeping.keep(NOW)
    assert TicketCount.objects.count() == 1
    kept = DeliveryCount.objects.order_by("moment").values_list("span", "delivered")
    assert list(kept) == [(Span.EVER, 2), (Span.DAY, 1)]


def test_the_clock_keeps_them_now_and_then_only(bugs: FeedbackType) -> None:
    factories.ticket(bugs)
    keeping.keep(NOW)
    with CaptureQueriesContext(connection) as queries:
        keeping.keep(NOW + timedelta(minutes=9))
    assert len(queries) == 1
    keeping.keep(NOW + timedelta(minutes=10))
    [row] = TicketCount.objects.all()
    assert row.taken_at == NOW + timedelta(minutes=10)


def test_days_stay_true_when_tickets_move_and_go(bugs: FeedbackType) -> None:
    new, closed = bugs.statuses.order_by("position")
    rows = factories.tickets(bugs, 5)
    keeping.count_tickets(NOW - timedelta(days=1))
    Feedback.objects.filter(pk=rows[0].pk).update(status=closed)
    rows[1].delete()
    keeping.count_tickets(NOW)
    Feedback.objects.filter(status=new).delete()
    keeping.count_tickets(NOW + HOUR)
    taken = TicketCount.objects.order_by("day", "status_name")
    assert list(taken.values_list("day", "status_name", "count")) == [
        (date(2026, 11, 22), "New", 5),
        (date(2026, 11, 23), "Closed", 1),
    ]


def test_two_clocks_write_one_row(bugs: FeedbackType) -> None:
    factories.tickets(bugs, 2)
    for _ in range(2):
        keeping.count_tickets(NOW)
    assert TicketCount.objects.get().count == 2


def test_a_status_that_is_gone_keeps_its_past(bugs: FeedbackType) -> None:
    odd = Status.objects.create(feedback_type=bugs, name="Odd", position=9)
    ticket = factories.ticket(bugs, status=odd)
    keeping.count_tickets(NOW - timedelta(days=1))
    ticket.delete()
    odd.delete()
    standing = tickets.standings([bugs.pk], NOW).by_type[bugs.pk]
    assert [each.name for each in standing.statuses] == ["New", "Closed", "Odd"]
    assert standing.days[date(2026, 11, 22)].total() == 1
    assert standing.now.total() == 0


def test_few_tickets_are_counted_now_and_of_many_the_clocks_count_is_shown(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.tickets(bugs, 3)
    keeping.count_tickets(NOW)
    factories.tickets(bugs, 2)
    later = NOW + HOUR
    shown = tickets.standings([bugs.pk], later)
    assert (shown.by_type[bugs.pk].now.total(), shown.as_of) == (5, None)
    monkeypatch.setattr(tickets, "MAX_COUNTED", 4)
    shown = tickets.standings([bugs.pk], later)
    assert (shown.by_type[bugs.pk].now.total(), shown.as_of) == (3, NOW)


def test_somebody_of_a_project_sees_its_figures_and_no_others(
    bugs: FeedbackType,
) -> None:
    other = factories.feedback_type()
    mine = factories.member(bugs, Role.PROJECT_MANAGER, in_project=True)
    whole = factories.member(bugs, Role.OBSERVER)
    add(bugs, NOW, delivered=1)
    add(bugs, NOW, project=0, delivered=10)
    add(other, NOW, delivered=100)

    def delivered(user: object) -> int:
        return figures(visible_to(user), Period.DAY, NOW).total.delivered  # type: ignore[arg-type]

    assert delivered(mine) == 1
    assert delivered(whole) == 11
    assert delivered(factories.superuser()) == 111


def test_the_busiest_come_first_and_none_is_no_destination(bugs: FeedbackType) -> None:
    add(bugs, NOW, destination=4, delivered=3)
    add(bugs, NOW, destination=5, failed=9)
    add(bugs, NOW, destination=0, skipped=99)
    split = pairs(DeliveryCount.objects.all(), Period.DAY, NOW)
    first = busiest(summed((each.destination, each.totals) for each in split), 5)
    assert [(pk, totals.ended) for pk, totals in first] == [(5, 9), (4, 3)]
    assert busiest(dict(first), 1) == first[:1]


def test_a_destination_of_which_much_fails_says_why_though_its_breaker_is_shut(
    bugs: FeedbackType,
) -> None:
    factories.ticket(bugs)
    delivery = factories.run(
        factories.macro(bugs, "https://a.example/")
    ).deliveries.get()
    Attempt.objects.write(
        [
            Attempt(
                delivery=delivery,
                number=1,
                started_at=NOW,
                status=404,
                error_class="http",
            )
        ]
    )
    made = {
        name: Destination.objects.create(
            community=bugs.project.community, origin=f"https://{name}.example:443"
        )
        for name in ("refuses", "mostly-fine", "gone")
    }
    add(bugs, NOW, destination=made["refuses"].pk, failed=2, last_failed=delivery.pk)
    add(bugs, NOW, destination=made["mostly-fine"].pk, failed=1, delivered=99)
    add(bugs, NOW, destination=made["gone"].pk, failed=1, last_failed=10**9)
    made["gone"].delete()
    week_ago = NOW - timedelta(days=5)
    add(bugs, week_ago, destination=made["mostly-fine"].pk, failed=999)
    split = pairs(DeliveryCount.objects.all(), Period.WEEK, NOW)
    lately = summed((each.destination, each.lately) for each in split)
    [failing] = failing_of(lately, Destination.objects.in_bulk())
    assert (failing.destination, failing.failed, failing.tried) == (
        made["refuses"],
        2,
        2,
    )
    assert failing.reason.startswith("404: nothing is at this URL")
    assert failing.newest == delivery.pk
