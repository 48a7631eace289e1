"""Pages lose no row and give none twice, in every order, forwards and backwards."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.core import signing
from django.urls import resolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.request import Request
from rest_framework.test import APIClient, APIRequestFactory

from centerhook.api import openapi_spec
from feedback.models import Feedback, FeedbackType
from feedback.rest.paging import CursorPagination
from feedback.rest.problems import Problem
from logs.models import Run
from tests import factories
from tests.api.callers import problem

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class View:
    ordering_columns = {"created_at": "created_at", "title": "title"}


def page(address: str) -> dict[str, Any]:
    request = Request(APIRequestFactory().get(address))
    pages = CursorPagination()
    rows = pages.paginate_queryset(Feedback.objects.all(), request, View())
    return {
        "rows": [row.pk for row in rows],
        "next": pages.get_next_link(),
        "previous": pages.get_previous_link(),
    }


def walk(address: str | None, direction: str) -> list[int]:
    rows: list[int] = []
    while address:
        each = page(address)
        listed = each["rows"]
        rows = [*rows, *listed] if direction == "next" else [*listed, *rows]
        last, address = address, each[direction]
    if direction == "next":
        assert walk(page(last)["previous"], "previous") == rows[: -len(each["rows"])]
    return rows


@pytest.mark.parametrize(
    "ordering", ["id", "-id", "created_at", "-created_at", "title"]
)
@settings(
    max_examples=25,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(moments=st.lists(st.integers(0, 3), max_size=12), size=st.integers(1, 5))
def test_every_row_once(
    bugs: FeedbackType, ordering: str, moments: list[int], size: int
) -> None:
    Feedback.objects.all().delete()
    for moment in moments:
        made = factories.ticket(bugs, title=f"T{moment}")
        # Microseconds tell moments apart, and several tickets share one.
        at = BEGIN + timedelta(microseconds=moment)
        Feedback.objects.filter(pk=made.pk).update(created_at=at)
    address = f"/api/v1/feedback/?page_size={size}&ordering={ordering}"
    rows = walk(address, "next")
    sign = "-" if ordering.startswith("-") else ""
    every = Feedback.objects.order_by(ordering, f"{sign}pk")
    assert rows == list(every.values_list("pk", flat=True))


@pytest.fixture
def runs(bugs: FeedbackType) -> None:
    """Some have not ended; several began and ended at the same moment."""
    factories.ticket(bugs)
    run = factories.run(factories.macro(bugs, "https://example.com/"))
    picked = random.Random(7)  # noqa: S311 - the same every time
    for number in range(9):
        ended = picked.choice([None, BEGIN, BEGIN, BEGIN + timedelta(seconds=1)])
        run.pk, run.key, run.finished_at = None, f"{number}", ended
        run.created_at = BEGIN + timedelta(seconds=picked.randrange(3))
        run.save(force_insert=True)


@pytest.mark.parametrize("size", [1, 2, 4, 50])
@pytest.mark.parametrize("name", ["id", "created_at", "finished_at"])
def test_runs_in_every_order_that_is_offered(
    caller: APIClient, runs: None, name: str, size: int
) -> None:
    def rank(run: Run) -> Any:
        value = getattr(run, name)
        return value is None, value or 0, run.pk

    upwards = [run.pk for run in sorted(Run.objects.all(), key=rank)]
    for ordering, expected in ((name, upwards), (f"-{name}", upwards[::-1])):
        url = f"/api/v1/runs/?ordering={ordering}&page_size={size}"
        assert followed(caller, url) == expected


def followed(caller: APIClient, url: str | None) -> list[int]:
    """The rows of all pages, the same there as back."""
    there: list[int] = []
    back: list[int] = []
    while url:
        read = caller.get(url).json()
        rows = [row["id"] for row in read["results"]]
        there += rows
        last, url = read, read["next"]
    while last["previous"]:
        last = caller.get(last["previous"]).json()
        back = [row["id"] for row in last["results"]] + back
    assert [*back, *rows] == there
    return there


@pytest.mark.parametrize(
    ("room", "ordering"),
    [
        ("runs", "state"),
        ("runs", "finished"),
        ("deliveries", "finished_at"),
        ("deliveries", "-next_attempt_at"),
        ("attempts", "started_at"),
    ],
)
def test_an_order_without_an_index_is_not_offered(
    caller: APIClient, room: str, ordering: str
) -> None:
    refused = problem(
        caller.get(f"/api/v1/{room}/?ordering={ordering}"), 400, "invalid"
    )
    [error] = refused["errors"]
    assert error["parameter"] == "ordering"
    assert error["detail"].startswith("Give one of ")


def ordered_views() -> Iterator[Any]:
    for path, operations in openapi_spec()["paths"].items():
        names = {
            each["name"] for each in operations.get("get", {}).get("parameters", ())
        }
        if "ordering" in names:
            yield resolve(path).func.cls  # type: ignore[attr-defined]


def test_each_order_has_an_index_with_the_number_behind_it() -> None:
    views = list(ordered_views())
    assert any(view.ordering_columns for view in views)
    for view in views:
        model = view.queryset.model
        indexed = [index.fields for index in model._meta.indexes]
        for column in view.ordering_columns.values():
            assert any(
                [name.lstrip("-") for name in fields] == [column, "id"]
                for fields in indexed
            ), (model, column)


def test_rows_that_come_and_go_shift_no_page(bugs: FeedbackType) -> None:
    first, second, third, fourth = (factories.ticket(bugs).pk for _ in range(4))
    address = "/api/v1/feedback/?page_size=2"
    begun = page(address)
    assert begun["rows"] == [fourth, third]
    factories.ticket(bugs)
    Feedback.objects.filter(pk=third).delete()
    assert page(begun["next"])["rows"] == [second, first]


OTHERS = {
    "another order": "/api/v1/feedback/ id",
    "another list": "/api/v1/testers/ -id",
}


@pytest.mark.parametrize(
    "cursor", ["", "nonsense", "cD1hYmM=", "\0", "a:b:c", "é", "x" * 500, *OTHERS]
)
def test_a_cursor_that_is_not_of_this_list_is_refused(db: None, cursor: str) -> None:
    if cursor in OTHERS:
        cursor = signing.dumps([None, 5, False], salt=OTHERS[cursor])
    with pytest.raises(Problem) as refusal:
        page(f"/api/v1/feedback/?cursor={quote(cursor)}")
    assert refusal.value.errors[0]["parameter"] == "cursor"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("ordering=created", "Did you mean 'created_at'?"),
        ("ordering=", "Give one of created_at, id, title"),
        ("ordering=id&ordering=title", "Give it once"),
        ("ordering=--id", "Give one of"),
    ],
)
def test_an_order_that_is_not_offered_is_refused(
    db: None, given: str, sentence: str
) -> None:
    with pytest.raises(Problem, match="ordering") as refusal:
        page(f"/api/v1/feedback/?{given}")
    assert sentence in str(refusal.value)


def test_only_the_members_that_were_asked_for(
    caller: APIClient, bugs: FeedbackType
) -> None:
    made = factories.ticket(bugs)
    listed = caller.get("/api/v1/feedback/?fields=title, id").json()
    assert listed["results"] == [{"id": made.pk, "title": made.title}]
    url = f"/api/v1/feedback/{made.pk}/"
    assert caller.get(f"{url}?fields=title").json() == {"title": made.title}
    for each in ("/api/v1/feedback/", url):
        refused = caller.get(f"{each}?fields=id,titel").json()
        [error] = refused["errors"]
        assert error["parameter"] == "fields" and "'title'?" in error["detail"]
    assert caller.get(f"{url}?open=true").status_code == 400
