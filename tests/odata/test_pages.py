"""Pages in any order have each row once, whatever rows share, and comes or goes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.http import QueryDict

from feedback.models import Feedback, FeedbackType
from feedback.odata.errors import OptionRefused
from feedback.odata.options import read_options
from feedback.odata.paging import begun_at
from feedback.odata.rows import EntitySet
from feedback.packages.tables import opened
from tests import factories

ROWS = 11
COLUMNS = (
    *("title", "open", "created", "status"),
    *("field_impact", "field_found_on", "field_severity", "field_reproducible"),
)


@pytest.fixture
def rows(bugs: FeedbackType) -> EntitySet:
    """Every value is there several times, and missing in some."""
    statuses = [*bugs.statuses.order_by("position"), None]
    for number in range(ROWS):
        values = {
            "impact": [Decimal("0.1"), 3, -2.5, None][number % 4],
            "found_on": ["2026-11-15", None, "2025-01-01"][number % 3],
            "severity": ["Minor", "Critical", None][number % 3],
            "reproducible": [True, False, None][number % 3],
        }
        made = factories.ticket(
            bugs,
            title=["Crash", "größe", "a, b", "Zoo", ""][number % 5],
            form_values={name: value for name, value in values.items() if value},
        )
        moment = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(microseconds=number % 3)
        status = statuses[number % 3]
        Feedback.objects.filter(pk=made.pk).update(created_at=moment, status=status)
    return EntitySet(opened(factories.package(bugs, *COLUMNS)))


def pages_of(rows: EntitySet, size: int, **query: str) -> Iterator[list[Any]]:
    options = "&".join(f"${name}={value}" for name, value in query.items())
    seen = read_options(QueryDict(options), rows.fields)
    key = [query.get("filter"), query.get("orderby")]
    for _ in range(2 * ROWS):
        page = rows.page(seen, key, size)
        yield [each["id"] for each in page.entities]
        if not page.token:
            return
        names = {"top", "skip"}
        rest = "&".join(f"${n}={v}" for n, v in query.items() if n not in names)
        again = QueryDict(f"{rest}&$skiptoken={page.token}")
        seen = read_options(again, rows.fields)
    raise AssertionError("the pages have no end")


ORDERS = [
    "",
    *("title", "title desc", "open,title desc", "created desc", "status desc,created"),
    *("field_impact", "field_impact desc", "field_found_on desc,open", "id desc"),
    "field_severity,field_impact desc,title",
    "field_reproducible desc,field_severity",
]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("size", [1, 3, ROWS, ROWS + 5])
def test_each_row_is_there_once_and_in_its_order(
    rows: EntitySet, order: str, size: int
) -> None:
    whole = next(pages_of(rows, 100, orderby=order))
    assert len(set(whole)) == ROWS
    pages = list(pages_of(rows, size, orderby=order))
    assert [pk for page in pages for pk in page] == whole
    assert [len(page) for page in pages[:-1]] == [size] * (len(pages) - 1)
    assert pages[-1]


@pytest.mark.parametrize("order", ["field_impact", "field_impact desc"])
def test_whole_numbers_of_all_digits_are_told_apart(
    bugs: FeedbackType, order: str
) -> None:
    """SQLite has 15 digits of a number with a point."""
    for number in range(6):
        factories.ticket(bugs, form_values={"impact": 2**53 + number // 2})
    rows = EntitySet(opened(factories.package(bugs, *COLUMNS)))
    whole = next(pages_of(rows, 100, orderby=order))
    pages = list(pages_of(rows, 1, orderby=order))
    assert [pk for page in pages for pk in page] == whole and len(whole) == 6


@pytest.mark.parametrize("order", ["age_days", "age_days desc"])
def test_rows_that_grow_older_between_pages_are_neither_lost_nor_repeated(
    bugs: FeedbackType, order: str, time_machine: Any
) -> None:
    """The first is a second short of being as old as the other two."""
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    days = [noon - timedelta(days=5) + timedelta(seconds=1), noon - timedelta(days=5)]
    made = [factories.ticket(bugs).pk for _ in range(3)]
    for pk, moment in zip(made, [*days, days[1]], strict=True):
        Feedback.objects.filter(pk=pk).update(created_at=moment)
    package = factories.package(bugs, "title", "age_days")
    seen, token = [], ""
    for minute in range(3):
        time_machine.move_to(noon + timedelta(minutes=minute), tick=False)
        rows = EntitySet(opened(package, begun_at(token) if token else None))
        query = QueryDict(f"$orderby={order}" + (f"&$skiptoken={token}" * bool(token)))
        page = rows.page(read_options(query, rows.fields), [order], 1)
        seen += [each["id"] for each in page.entities]
        token = page.token
    assert sorted(seen) == made


def test_null_comes_before_all_values_and_last_where_it_descends(
    rows: EntitySet,
) -> None:
    for direction in ("asc", "desc"):
        data = QueryDict(f"$orderby=field_impact {direction}&$select=field_impact")
        page = rows.page(read_options(data, rows.fields), [], 100)
        values = [each["field_impact"] for each in page.entities]
        missing = values.count(None)
        assert missing > 1
        own = values[missing:] if direction == "asc" else values[:-missing]
        assert None not in own
        assert own == sorted(own, reverse=direction == "desc")


def test_top_and_skip_hold_across_pages(rows: EntitySet) -> None:
    whole = next(pages_of(rows, 100, orderby="title"))
    pages = list(pages_of(rows, 3, orderby="title", top="7", skip="2"))
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [pk for page in pages for pk in page] == whole[2:9]
    assert list(pages_of(rows, 3, top="3")) == [next(pages_of(rows, 3))]
    assert list(pages_of(rows, 3, top="0")) == [[]]
    assert list(pages_of(rows, 3, skip="1000")) == [[]]


def test_rows_that_come_and_go_shift_nothing(
    rows: EntitySet, bugs: FeedbackType
) -> None:
    pages = pages_of(rows, 4, orderby="title desc,id")
    whole = next(pages_of(rows, 100, orderby="title desc,id"))
    first = next(pages)
    Feedback.objects.filter(pk=first[0]).delete()
    factories.ticket(bugs, title="zzz")
    assert first + [pk for page in pages for pk in page] == whole


def test_a_token_is_for_its_own_query_alone(rows: EntitySet) -> None:
    options = read_options(QueryDict("$orderby=title"), rows.fields)
    token = rows.page(options, ["a"], 2).token
    for forged, query in ((token, ["b"]), (token[:-1], ["a"]), ("x" * 9, ["a"])):
        again = read_options(QueryDict(f"$skiptoken={forged}"), rows.fields)
        with pytest.raises(OptionRefused) as refused:
            rows.page(again, query, 2)
        assert refused.value.option == "$skiptoken"


def test_a_page_takes_one_query_and_its_count_another(
    rows: EntitySet, django_assert_num_queries: Any
) -> None:
    options = read_options(QueryDict("$count=true&$orderby=title"), rows.fields)
    with django_assert_num_queries(2):
        page = rows.page(options, [], 3)
    assert (page.count, len(page.entities)) == (ROWS, 3)
