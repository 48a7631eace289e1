"""Triggers and schedules over the API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from rest_framework.test import APIClient

from feedback.models import FeedbackType
from logs.models import AuditEntry, Run
from macros.models import Macro, Schedule, Trigger
from tests import factories
from tests.api.callers import issue_key, problem, program

TRIGGERS, SCHEDULES = "/api/v1/triggers/", "/api/v1/schedules/"


@pytest.fixture
def builder(bugs: FeedbackType) -> APIClient:
    return program(issue_key(bugs, scope_manage=True))


@pytest.fixture
def macro(bugs: FeedbackType) -> Macro:
    return factories.macro(bugs, "https://example.com/")


@pytest.fixture
def theirs() -> FeedbackType:
    return factories.feedback_type("Ideas", "IDEA")


def faults(response: Any) -> dict[str, str]:
    problems = problem(response, 400, "invalid")["errors"]
    return {each["pointer"]: each["detail"] for each in problems}


def test_a_trigger_is_made_changed_switched_and_deleted(
    bugs: FeedbackType, builder: APIClient, macro: Macro
) -> None:
    chosen = factories.saved_filter(bugs)
    closed = bugs.statuses.get(name="Closed")
    new = {
        "name": "When closed",
        "macro": macro.pk,
        "filter": chosen.pk,
        "event": "status_changed",
        "event_details": {"to_status": closed.pk},
    }
    made = builder.post(TRIGGERS, new)
    assert made.status_code == 201, made.json()
    assert made.json().items() >= new.items()
    trigger = Trigger.objects.get()
    assert trigger.community == bugs.project.community and trigger.is_active
    url = f"{TRIGGERS}{trigger.pk}/"
    assert builder.patch(url, made.json()).json() == made.json()
    off = builder.patch(url, {"is_active": False, "filter": None}).json()
    assert (off["is_active"], off["filter"]) == (False, None)
    again = builder.patch(url, {"event": "field_changed"})
    assert list(faults(again)) == ["#/event_details/field", "#/event_details/to_status"]
    assert builder.delete(url).status_code == 204
    actions = AuditEntry.objects.filter(object_type="macros.trigger").order_by("pk")
    assert [each.action for each in actions] == ["created", "off", "deleted"]
    assert all(each.api_key for each in actions)


NEW_TRIGGER = {"name": "New", "event": "submitted"}


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": ""}, "#/name"),
        ({"name": 5}, "#/name"),
        ({"macro": None}, "#/macro"),
        ({"macro": "1"}, "#/macro"),
        ({"macro": 10**30}, "#/macro"),
        ({"macro": 999_999}, "#/macro"),
        ({"filter": 0}, "#/filter"),
        ({"filter": "Urgent"}, "#/filter"),
        ({"event": ""}, "#/event"),
        ({"event": "explodes"}, "#/event"),
        ({"event": ["submitted"]}, "#/event"),
        ({"event": "score_crossed"}, "#/event"),
        ({"event_details": 5}, "#/event_details"),
        ({"event_details": []}, "#/event_details"),
        ({"event_details": {"score": 5}}, "#/event_details/score"),
        (
            {"event": "status_changed", "event_details": {"to_status": "Closed"}},
            "#/event_details/to_status",
        ),
        (
            {"event": "status_changed", "event_details": {"to_status": 2**63}},
            "#/event_details/to_status",
        ),
        (
            {"event": "external_changed", "event_details": {"external": "x" * 101}},
            "#/event_details/external",
        ),
        ({"limit": 0}, "#/limit"),
        ({"limit": 10**30}, "#/limit"),
        ({"limit": True}, "#/limit"),
        ({"is_active": 0}, "#/is_active"),
        ({"id": 5}, "#/id"),
        ({"communityy": 5}, "#/communityy"),
    ],
)
def test_a_faulty_trigger_names_its_member(
    builder: APIClient, macro: Macro, changes: dict[str, Any], pointer: str
) -> None:
    response = builder.post(TRIGGERS, NEW_TRIGGER | {"macro": macro.pk} | changes)
    assert pointer in faults(response), response.json()
    assert not Trigger.objects.exists()


def test_what_is_another_tenants_does_not_exist(
    bugs: FeedbackType, builder: APIClient, macro: Macro, theirs: FeedbackType
) -> None:
    other = factories.macro(theirs, "https://example.com/")
    hidden = {
        "#/macro": {"macro": other.pk},
        "#/filter": {"filter": factories.saved_filter(theirs).pk},
        "#/event_details/to_status": {
            "event": "status_changed",
            "event_details": {"to_status": theirs.statuses.get(name="New").pk},
        },
    }
    gone = {
        "#/macro": {"macro": 999_999},
        "#/filter": {"filter": 999_999},
        "#/event_details/to_status": {
            "event": "status_changed",
            "event_details": {"to_status": 999_999},
        },
    }
    for pointer, members in hidden.items():
        new = NEW_TRIGGER | {"macro": macro.pk}
        seen = faults(builder.post(TRIGGERS, new | members))[pointer]
        missing = faults(builder.post(TRIGGERS, new | gone[pointer]))[pointer]
        assert "999999" in missing
        number = next(part for part in seen.split() if part.strip(".").isdecimal())
        assert seen == missing.replace("999999", number.strip("."))
    for row in (factories.trigger(other), factories.schedule(other)):
        name = row._meta.model_name
        url = f"/api/v1/{name}s/{row.pk}/"
        problem(builder.get(url), 404, "not_found")
        problem(builder.patch(url, {"name": "x"}), 404, "not_found")
        problem(builder.delete(url), 404, "not_found")


def test_a_filter_that_does_not_fit_is_refused(
    bugs: FeedbackType, builder: APIClient, macro: Macro
) -> None:
    ideas = factories.feedback_type("Ideas", "IDEA")
    ideas.project.community, ideas.project.name = bugs.project.community, "Next"
    ideas.project.save()
    other = factories.saved_filter(ideas)
    for url, new in ((TRIGGERS, NEW_TRIGGER), (SCHEDULES, NEW_SCHEDULE)):
        response = builder.post(url, new | {"macro": macro.pk, "filter": other.pk})
        assert "and the macro runs on" in faults(response)["#/filter"]


def test_a_trigger_is_tried(
    bugs: FeedbackType, builder: APIClient, macro: Macro, theirs: FeedbackType
) -> None:
    ticket = factories.ticket(bugs)
    trigger = factories.trigger(macro)
    url = f"{TRIGGERS}{trigger.pk}/try/"
    tried = builder.post(url, {"subject": ticket.pk}).json()
    assert tried["starts"] is True and tried["outcome"] == "started"
    assert not Run.objects.exists() and not trigger.decisions.exists()
    Trigger.objects.update(is_active=False)
    tried = builder.post(url, {"subject": ticket.pk}).json()
    assert (tried["starts"], "is off" in tried["detail"]) == (False, True)
    hidden = factories.ticket(theirs)
    assert list(faults(builder.post(url, {"subject": hidden.pk}))) == ["#/subject"]


NEW_SCHEDULE = {
    "name": "Mornings",
    "rate": "weekly",
    "at": "09:30",
    "weekdays": "1,3",
    "time_zone": "Europe/Berlin",
    "start_at": "2026-11-23T09:00:00+01:00",
}


def test_a_schedule_is_made_changed_and_says_its_moments(
    builder: APIClient, macro: Macro
) -> None:
    made = builder.post(SCHEDULES, NEW_SCHEDULE | {"macro": macro.pk})
    assert made.status_code == 201, made.json()
    body = made.json()
    schedule = Schedule.objects.get()
    assert schedule.start_at == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert body["next_run_at"] and "Monday" in body["words"]
    url = f"{SCHEDULES}{schedule.pk}/"
    assert builder.patch(url, body).json() == body
    listed = builder.get(f"{url}moments/").json()
    assert len(listed["moments"]) == 5 and listed["moments"][0] == body["next_run_at"]
    assert listed["time_zone"] == "Europe/Berlin"
    changed = builder.patch(url, {"rate": "hours", "every": 6}).json()
    assert changed["next_run_at"] != body["next_run_at"]
    off = builder.patch(url, {"is_active": False}).json()
    assert off["next_run_at"] is None
    assert builder.delete(url).status_code == 204


def test_a_schedule_without_a_start_starts_now(
    builder: APIClient, macro: Macro
) -> None:
    new = {"name": "Hourly", "macro": macro.pk, "rate": "hours"}
    assert builder.post(SCHEDULES, new).status_code == 201
    assert Schedule.objects.get().start_at.second == 0


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"rate": "yearly"}, "#/rate"),
        ({"at": None}, "#/at"),
        ({"at": "25:00"}, "#/at"),
        ({"at": 9}, "#/at"),
        ({"weekdays": ""}, "#/weekdays"),
        ({"weekdays": [1, 3]}, "#/weekdays"),
        ({"weekdays": "8"}, "#/weekdays"),
        ({"time_zone": "Mars/Olympus"}, "#/time_zone"),
        ({"start_at": "2026-11-23T09:00:00"}, "#/start_at"),
        ({"start_at": "soon"}, "#/start_at"),
        ({"start_at": None}, "#/start_at"),
        ({"start_at": "9999-12-31T23:59:59-23:59"}, "#/start_at"),
        ({"end_at": "2026-11-22T09:00:00Z"}, "#/end_at"),
        ({"rate": "monthly", "month_day": 33}, "#/month_day"),
        ({"rate": "monthly", "month_day": "1"}, "#/month_day"),
        ({"rate": "cron", "cron": "* * *"}, "#/cron"),
        ({"rate": "hours", "every": 0}, "#/every"),
        ({"rate": "hours", "every": 10**30}, "#/every"),
        ({"every": -1}, "#/every"),
        ({"overlap": "maybe"}, "#/overlap"),
        ({"only_changed": "yes"}, "#/only_changed"),
        ({"next_run_at": None}, "#/next_run_at"),
        ({"rate": "once", "start_at": "2020-01-01T00:00:00Z"}, "#/rate"),
    ],
)
def test_a_faulty_schedule_names_its_member(
    builder: APIClient, macro: Macro, changes: dict[str, Any], pointer: str
) -> None:
    response = builder.post(SCHEDULES, NEW_SCHEDULE | {"macro": macro.pk} | changes)
    assert pointer in faults(response), response.json()
    assert not Schedule.objects.exists()


def test_a_schedule_runs_now_once(
    bugs: FeedbackType, builder: APIClient, macro: Macro
) -> None:
    schedule = factories.schedule(macro)
    url = f"{SCHEDULES}{schedule.pk}/runs/"
    problem(builder.post(url), 409, "run_refused")
    factories.ticket(bugs)
    once = {"HTTP_IDEMPOTENCY_KEY": "once"}
    first = builder.post(url, **once)
    assert first.status_code == 201 and first.json()["cause"] == "schedule"
    assert builder.post(url, **once).json() == first.json()
    assert Run.objects.count() == 1


def test_a_key_without_the_scope_changes_nothing(
    bugs: FeedbackType, caller: APIClient, macro: Macro
) -> None:
    for row in (factories.trigger(macro), factories.schedule(macro)):
        lists = f"/api/v1/{row._meta.model_name}s/"
        url = f"{lists}{row.pk}/"
        assert caller.get(url).json()["name"] == row.name
        problem(caller.post(lists, {"macro": macro.pk}), 403, "missing_scope")
        problem(caller.patch(url, {"is_active": False}), 403, "missing_scope")
        problem(caller.delete(url), 403, "missing_scope")


def test_a_key_of_one_project_does_not_reach_the_community(
    bugs: FeedbackType, macro: Macro
) -> None:
    local = program(issue_key(bugs, scope_manage=True, project=bugs.project))
    whole = factories.macro(bugs.project.community, "https://example.com/")
    for url, new in ((TRIGGERS, NEW_TRIGGER), (SCHEDULES, NEW_SCHEDULE)):
        refused = faults(local.post(url, new | {"macro": whole.pk}))
        assert refused == {"#/macro": f"There is no macro {whole.pk}."}
        assert local.post(url, new | {"macro": macro.pk}).status_code == 201
