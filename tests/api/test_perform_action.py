"""Perform Action from outside: what was asked for is run, once, or nothing is."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from feedback.access.roles import Role
from feedback.models import Feedback, FeedbackType
from logs.models import Run
from logs.rest import NO_WORKER
from macros import queue
from macros.models import Macro
from tests import factories
from tests.api.callers import issue_key, person, problem, program


@pytest.fixture
def macro(bugs: FeedbackType) -> Macro:
    return factories.macro(bugs, "https://example.com/hook/t0ken", name="Post")


def perform(caller: APIClient, macro: Macro, body: Any, key: str = "") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return caller.post(f"/api/v1/macros/{macro.pk}/runs/", body, headers=headers)


def refused(response: Any) -> dict[str, str]:
    errors = problem(response, 400, "invalid")["errors"]
    return {each["pointer"]: each["detail"] for each in errors}


def subjects(run: Run) -> list[str]:
    rows = run.deliveries.order_by("feedback_id")
    return [row.subject_label for row in rows]


def test_a_macro_is_told_without_what_it_sends(
    bugs: FeedbackType, caller: APIClient, macro: Macro
) -> None:
    [row] = caller.get("/api/v1/macros/").json()["results"]
    assert row == {
        "id": macro.pk,
        "name": "Post",
        "description": "",
        "subject_kind": "feedback",
        "type": {"id": bugs.pk, "name": "Bug Report", "prefix": "BUG"},
        "project": {"id": bugs.project_id, "name": "Phone Beta"},
        "is_active": True,
        "paused_reason": "",
        "paused_at": None,
        "step_count": 1,
        "created_at": row["created_at"],
        "modified_at": row["modified_at"],
    }
    whole = caller.get(f"/api/v1/macros/{macro.pk}/").json()
    assert whole.items() >= row.items() and whole["steps"] is None
    off = factories.macro(bugs, name="Off")
    Macro.objects.filter(pk=off.pk).update(is_active=False)

    def names(**query: Any) -> list[str]:
        rows = caller.get("/api/v1/macros/", query).json()["results"]
        return [row["name"] for row in rows]

    assert names() == ["Off", "Post"]
    assert names(is_active="true") == names(name="Post") == ["Post"]
    assert names(type=bugs.pk, is_active="false") == ["Off"]
    assert names(type=bugs.pk + 1) == names(project=bugs.project_id + 1) == []


def test_tickets_by_number(bugs: FeedbackType, caller: APIClient, macro: Macro) -> None:
    one, two, _ = factories.tickets(bugs, 3)
    response = perform(caller, macro, {"ids": [two.pk, one.pk, two.pk]})
    assert response.status_code == 201
    run = Run.objects.get()
    assert response["Location"] == f"http://testserver/api/v1/runs/{run.pk}/"
    row = response.json()
    assert row == {
        "id": run.pk,
        "state": "active",
        "is_settled": False,
        "macro": macro.pk,
        "macro_name": "Post",
        "macro_version": 1,
        "cause": "api",
        "cause_name": "",
        "started_by": run.actor_name,
        "selection": "2 by number",
        "counts": {
            "total": 2,
            "delivered": 0,
            "problems": 0,
            "failed": 0,
            "pending": 2,
            "skipped": 0,
            "cancelled": 0,
        },
        "progress": 0,
        "created_at": row["created_at"],
        "finished_at": None,
        "notice": NO_WORKER,
    }
    assert run.actor_name.startswith("API key Nightly sync (ch_")
    assert subjects(run) == ["BUG-1", "BUG-2"]


def test_tickets_by_filter(bugs: FeedbackType, caller: APIClient, macro: Macro) -> None:
    closed = bugs.statuses.get(name="Closed")
    for values, status in [("Critical", None), ("Critical", closed), ("Minor", None)]:
        factories.ticket(bugs, status=status, form_values={"severity": values})
    asked = {"open": True, "status": ["New", "Closed"], "field_severity": "Critical"}
    response = perform(caller, macro, {"filter": asked})
    assert response.status_code == 201
    run = Run.objects.get()
    assert subjects(run) == ["BUG-1"]
    assert run.selection == "Open: yes; Status: New, Closed; Severity: Critical"


def test_a_person_in_a_session_is_who_started_it(
    bugs: FeedbackType, support: APIClient, macro: Macro
) -> None:
    ticket = factories.ticket(bugs)
    assert perform(support, macro, {"ids": [ticket.pk]}).status_code == 201
    run = Run.objects.get()
    assert run.actor is not None and run.actor.username == run.actor_name == "sam"


def test_with_a_worker_there_is_nothing_to_notice(
    bugs: FeedbackType,
    caller: APIClient,
    macro: Macro,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queue, "count_workers", lambda: 1)
    ticket = factories.ticket(bugs)
    assert perform(caller, macro, {"ids": [ticket.pk]}).json()["notice"] == ""


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, {"#": "Give one of ids, filter, saved_filter."}),
        (
            {"ids": [1], "filter": {"open": True}},
            {"#": "Give one of ids, filter, saved_filter."},
        ),
        (
            {"ids": [1], "idz": [2]},
            {"#/idz": "There is no such member. Did you mean 'ids'?"},
        ),
        ({"ids": []}, {"#/ids": "Ensure this field has at least 1 elements."}),
        ({"ids": 1}, {"#/ids": 'Expected a list of items but got type "int".'}),
        ({"ids": None}, {"#/ids": "This field may not be null."}),
        ({"filter": {}}, {"#/filter": "This dictionary may not be empty."}),
        (
            {"filter": "open=true"},
            {"#/filter": 'Expected a dictionary of items but got type "str".'},
        ),
        (
            {"filter": {"opn": True}},
            {"#/filter/opn": "No such parameter. Did you mean 'open'?"},
        ),
        (
            {"filter": {"page_size": 2}},
            {"#/filter/page_size": "No such parameter."},
        ),
        (
            {"filter": {"status": "", "open": "true"}},
            {"#/filter/status": "Give a value, or leave the parameter out."},
        ),
        (
            {"filter": {"open": None}},
            {
                "#/filter/open": "Give a string, a number, true or false, or a list"
                " of them."
            },
        ),
        (
            {"filter": {"open": []}},
            {
                "#/filter/open": "Give a string, a number, true or false, or a list"
                " of them."
            },
        ),
        (
            {"filter": {"a/b~c": {"x": 1}}},
            {
                "#/filter/a~1b~0c": "Give a string, a number, true or false, or a"
                " list of them."
            },
        ),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_a_body_that_does_not_say_what_to_run_on(
    bugs: FeedbackType,
    caller: APIClient,
    macro: Macro,
    body: Any,
    faults: dict[str, str],
) -> None:
    factories.ticket(bugs)
    assert refused(perform(caller, macro, body)) == faults
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    "number", ["1", "\u0661", 1.0, True, None, -1, 0, 2**63, 1e300, [1], {"id": 1}]
)
def test_an_id_that_is_no_number_of_a_row(
    bugs: FeedbackType, caller: APIClient, macro: Macro, number: Any
) -> None:
    ticket = factories.ticket(bugs)
    faults = refused(perform(caller, macro, {"ids": [ticket.pk, number]}))
    assert list(faults) == ["#/ids/1"]
    assert not Run.objects.exists()


def test_ids_that_are_hidden_gone_or_of_another_type_start_nothing(
    bugs: FeedbackType, caller: APIClient, macro: Macro
) -> None:
    mine = factories.ticket(bugs)
    ideas = FeedbackType.objects.create(project=bugs.project, name="Idea", prefix="I")
    others = [
        factories.ticket(ideas).pk,
        factories.ticket(factories.feedback_type()).pk,
        2**63 - 1,
    ]
    faults = refused(perform(caller, macro, {"ids": [mine.pk, *others]}))
    assert faults == {
        f"#/ids/{index}": f"There is no ticket {number} of Phone Beta: Bug Report."
        for index, number in enumerate(others, start=1)
    }
    assert not Run.objects.exists()


def test_a_filter_reaches_the_macros_own_type_only(
    bugs: FeedbackType, caller: APIClient, macro: Macro
) -> None:
    factories.ticket(bugs)
    ideas = FeedbackType.objects.create(project=bugs.project, name="Idea", prefix="I")
    factories.ticket(ideas)
    factories.ticket(factories.feedback_type())
    faults = refused(perform(caller, macro, {"filter": {"type": "Idea"}}))
    assert faults == {"#/filter/type": "There is no feedback type 'Idea'."}
    assert perform(caller, macro, {"filter": {"open": True}}).status_code == 201
    assert subjects(Run.objects.get()) == ["BUG-1"]


def test_too_many_ids_are_refused_and_not_all_faults_are_told(
    bugs: FeedbackType, caller: APIClient, macro: Macro
) -> None:
    body = {"ids": list(range(1, 10_002))}
    assert list(refused(perform(caller, macro, body))) == ["#/ids"]
    body = {"ids": list(range(1, 10_001))}
    assert len(refused(perform(caller, macro, body))) == 50


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"is_active": False}, "The macro Post is off. Switch it on to run it."),
        (
            {"paused_reason": "It responded with 410."},
            "The macro Post is paused: It responded with 410.",
        ),
    ],
)
def test_a_macro_that_can_not_run_says_why(
    bugs: FeedbackType,
    caller: APIClient,
    macro: Macro,
    change: dict[str, Any],
    sentence: str,
) -> None:
    ticket = factories.ticket(bugs)
    Macro.objects.update(**change)
    response = perform(caller, macro, {"ids": [ticket.pk]})
    assert problem(response, 409, "run_refused")["detail"] == sentence


def test_a_filter_that_finds_nothing_starts_nothing(
    bugs: FeedbackType, caller: APIClient, macro: Macro
) -> None:
    factories.ticket(bugs)
    response = perform(caller, macro, {"filter": {"open": False}})
    detail = problem(response, 409, "run_refused")["detail"]
    assert detail.startswith("No ticket of Phone Beta: Bug Report is selected")
    assert not Run.objects.exists()


def test_who_may_only_look_is_forbidden_to_run(
    bugs: FeedbackType, observer: APIClient, macro: Macro
) -> None:
    ticket = factories.ticket(bugs)
    response = perform(observer, macro, {"ids": [ticket.pk]})
    detail = problem(response, 403, "permission_denied")["detail"]
    assert "macros.run_macro" in detail
    # In another project they may: here they may look only.
    other = factories.feedback_type()
    both = factories.member(other, Role.SUPPORT, "otto")
    response = perform(person(both), macro, {"ids": [ticket.pk]})
    problem(response, 403, "permission_denied")
    assert not Run.objects.exists()


def test_someone_elses_macro_is_not_there(
    bugs: FeedbackType, stranger: APIClient, macro: Macro
) -> None:
    ticket = factories.ticket(bugs)
    for body in ({"ids": [ticket.pk]}, {"filter": {"open": True}}, {"x": 1}):
        detail = problem(perform(stranger, macro, body), 404, "not_found")["detail"]
        assert detail == f"There is no macro {macro.pk}."
    problem(stranger.get(f"/api/v1/macros/{macro.pk}/"), 404, "not_found")
    assert stranger.get("/api/v1/macros/").json()["results"] == []
    assert not Run.objects.exists()


def test_a_repeat_with_the_same_key_gives_the_same_run(
    bugs: FeedbackType, caller: APIClient, macro: Macro
) -> None:
    first, *_ = factories.tickets(bugs, 2)
    for body in ({"ids": [first.pk]}, {"filter": {"search": "breaks", "open": True}}):
        key = f"order-{len(body)}-{next(iter(body))}"
        made = perform(caller, macro, body, key)
        again = perform(caller, macro, body, key)
        assert (made.status_code, again.status_code) == (201, 201)
        assert made.json()["id"] == again.json()["id"]
        assert made["Location"] == again["Location"]
    assert Run.objects.count() == 2


def test_a_repeat_gives_the_run_even_if_it_could_not_start_any_more(
    bugs: FeedbackType, caller: APIClient, macro: Macro
) -> None:
    ticket = factories.ticket(bugs)
    body = {"ids": [ticket.pk]}
    made = perform(caller, macro, body, "once").json()
    Feedback.objects.all().delete()
    Macro.objects.update(is_active=False)
    assert perform(caller, macro, body, "once").json()["id"] == made["id"]
    problem(perform(caller, macro, body, "twice"), 400, "invalid")


def test_another_body_under_the_same_key_is_refused(
    bugs: FeedbackType, caller: APIClient, macro: Macro
) -> None:
    one, two = factories.tickets(bugs, 2)
    perform(caller, macro, {"ids": [one.pk]}, "once")
    for body in ({"ids": [two.pk]}, {"ids": [999]}, {"filter": {"open": True}}):
        problem(perform(caller, macro, body, "once"), 422, "idempotency_key_reused")
    assert Run.objects.count() == 1


def test_the_same_key_means_another_run_to_another_macro_caller_or_none(
    bugs: FeedbackType, caller: APIClient, support: APIClient, macro: Macro
) -> None:
    ticket = factories.ticket(bugs)
    other = factories.macro(bugs, "https://example.com/")
    second = program(issue_key(bugs, "Another key"))
    body = {"ids": [ticket.pk]}
    runs = [
        perform(who, which, body, key).json()["id"]
        for who, which, key in [
            (caller, macro, "once"),
            (caller, other, "once"),
            (second, macro, "once"),
            (support, macro, "once"),
            (caller, macro, "Once"),
            (caller, macro, ""),
            (caller, macro, ""),
        ]
    ]
    assert len(set(runs)) == 7


@pytest.mark.parametrize("key", [" ", "é", "x" * 256, "a\tb"])
def test_a_key_that_can_not_be_is_refused(
    bugs: FeedbackType, caller: APIClient, macro: Macro, key: str
) -> None:
    ticket = factories.ticket(bugs)
    response = perform(caller, macro, {"ids": [ticket.pk]}, key)
    errors = problem(response, 400, "invalid")["errors"]
    assert [each["header"] for each in errors] == ["Idempotency-Key"]
    assert not Run.objects.exists()
