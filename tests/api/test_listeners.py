"""Listeners over the API, and what came in through them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from feedback.access.roles import Role
from feedback.models import FeedbackType
from logs.models import AuditEntry
from macros.models import InboundCall, Listener, Macro
from tests import factories
from tests.api.callers import issue_key, person, problem, program

LISTENERS, CALLS = "/api/v1/listeners/", "/api/v1/calls/"


@pytest.fixture
def builder(bugs: FeedbackType) -> APIClient:
    return program(issue_key(bugs, scope_manage=True))


@pytest.fixture
def macro(bugs: FeedbackType) -> Macro:
    return factories.macro(bugs, "https://example.com/")


@pytest.fixture
def new(bugs: FeedbackType, macro: Macro) -> dict[str, Any]:
    factories.secret(bugs, "jira_webhook")
    return {
        "name": "From Jira",
        "type": bugs.pk,
        "record_by": "external",
        "record_external": "jira_key",
        "record_at": "$.issue.key",
        "checks": [{"scheme": "atlassian", "secret": "jira webhook"}],
        "actions": [
            {"kind": "comment", "value": "((Payload: $.comment))"},
            {"kind": "run", "macro": macro.pk},
        ],
    }


def faults(response: Any) -> dict[str, str]:
    problems = problem(response, 400, "invalid")["errors"]
    return {each["pointer"]: each["detail"] for each in problems}


def test_a_listener_is_made_with_its_parts_and_read_back(
    bugs: FeedbackType, builder: APIClient, macro: Macro, new: dict[str, Any]
) -> None:
    made = builder.post(LISTENERS, new)
    assert made.status_code == 201, made.json()
    body, listener = made.json(), Listener.objects.get()
    assert listener.key in body["address"] and body["type"]["id"] == bugs.pk
    [check] = body["checks"]
    assert (check["scheme"], check["secret"]) == ("atlassian", "jira_webhook")
    assert [each["kind"] for each in body["actions"]] == ["comment", "run"]
    assert body["actions"][1]["macro"] == macro.pk
    url = f"{LISTENERS}{listener.pk}/"
    assert builder.get(url).json() == body
    assert builder.patch(url, body).json() == body
    changed = builder.patch(url, {"actions": body["actions"][1:], "filter": None})
    assert [each["kind"] for each in changed.json()["actions"]] == ["run"]
    assert changed.json()["checks"] == body["checks"]
    assert changed.json()["address"] == body["address"]
    off = builder.patch(url, {"is_active": False}).json()
    assert off["is_active"] is False
    assert builder.delete(url).status_code == 204
    entries = AuditEntry.objects.filter(object_type="macros.listener").order_by("pk")
    kinds = [each.action for each in entries]
    assert kinds == ["created", "changed", "off", "deleted"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": ""}, "#/name"),
        ({"method": "GET"}, "#/method"),
        ({"payload_format": 5}, "#/payload_format"),
        ({"allowed_ips": "300.1.1.1"}, "#/allowed_ips"),
        ({"record_at": "$["}, "#/record_at"),
        ({"filter": 999_999}, "#/filter"),
        ({"filter": "Urgent"}, "#/filter"),
        ({"response_status": 500}, "#/response_status"),
        ({"response_status": "200"}, "#/response_status"),
        ({"repeat_seconds": 10**30}, "#/repeat_seconds"),
        ({"repeat_seconds": -1}, "#/repeat_seconds"),
        ({"checks": []}, "#/checks"),
        ({"checks": {}}, "#/checks"),
        ({"checks": [5]}, "#/checks/0"),
        ({"checks": [{"scheme": "magic"}]}, "#/checks/0/scheme"),
        ({"checks": [{"scheme": "github"}]}, "#/checks/0/secret"),
        ({"checks": [{"scheme": "github", "secret": "no"}]}, "#/checks/0/secret"),
        ({"checks": [{"scheme": "github", "secret": 5}]}, "#/checks/0/secret"),
        ({"checks": [{"scheme": "api_key", "api_key": 0}]}, "#/checks/0/api_key"),
        ({"checks": [{"scheme": "api_key", "api_key": "1"}]}, "#/checks/0/api_key"),
        ({"checks": [{"scheme": "api_key", "token": "x"}]}, "#/checks/0/token"),
        ({"actions": None}, "#/actions"),
        ({"actions": [{"kind": "fly"}]}, "#/actions/0/kind"),
        ({"actions": [{"kind": "run"}]}, "#/actions/0/macro"),
        ({"actions": [{"kind": "run", "macro": 999_999}]}, "#/actions/0/macro"),
        ({"actions": [{"kind": "run", "macro": True}]}, "#/actions/0/macro"),
        ({"actions": [{"kind": "comment", "value": "((No))"}]}, "#/actions/0/value"),
        ({"address": "x"}, "#/address"),
        ({"namee": "x"}, "#/namee"),
        ({"type": 999_999}, "#/type"),
    ],
)
def test_a_fault_names_its_member_and_nothing_is_kept(
    builder: APIClient, new: dict[str, Any], changes: dict[str, Any], pointer: str
) -> None:
    response = builder.post(LISTENERS, new | changes)
    assert pointer in faults(response), response.json()
    assert not Listener.objects.exists()


def test_what_is_another_tenants_does_not_exist(
    bugs: FeedbackType, builder: APIClient, new: dict[str, Any]
) -> None:
    theirs = factories.feedback_type("Ideas", "IDEA")
    macro = factories.macro(theirs, "https://example.com/")
    key = theirs.project.community.api_keys.get()
    factories.secret(theirs, "their_secret")
    check = {"scheme": "api_key", "api_key": key.pk}
    for members, pointer in (
        ({"type": theirs.pk}, "#/type"),
        ({"filter": factories.saved_filter(theirs).pk}, "#/filter"),
        ({"actions": [{"kind": "run", "macro": macro.pk}]}, "#/actions/0/macro"),
        ({"checks": [check]}, "#/checks/0/api_key"),
    ):
        sentence = faults(builder.post(LISTENERS, new | members))[pointer]
        assert sentence.startswith("There is no ")
    signed = [{"scheme": "github", "secret": "their_secret"}]
    missing = faults(builder.post(LISTENERS, new | {"checks": signed}))
    assert missing == {"#/checks/0/secret": "There is no secret 'their_secret'."}
    url = f"{LISTENERS}{factories.listener(theirs).pk}/"
    for response in (
        builder.get(url),
        builder.patch(url, {"name": "x"}),
        builder.delete(url),
        builder.post(f"{url}renew/", {}),
    ):
        problem(response, 404, "not_found")


def test_who_may_only_look_gets_no_address(
    bugs: FeedbackType, caller: APIClient, observer: APIClient
) -> None:
    listener = factories.listener(bugs, {"kind": "comment", "value": "x"})
    for client in (caller, observer):
        body = client.get(f"{LISTENERS}{listener.pk}/")
        assert listener.key not in body.content.decode()
        assert body.json()["address"] is None and body.json()["checks"] is None


def test_a_locked_listener_can_be_switched_off_only(
    bugs: FeedbackType, new: dict[str, Any]
) -> None:
    manager = person(factories.member(bugs, Role.COMMUNITY_MANAGER, "mia"))
    listener = factories.listener(bugs)
    bugs.project.community.api_keys.all().delete()
    url = f"{LISTENERS}{listener.pk}/"
    assert manager.patch(url, {"is_active": False}).status_code == 200
    for response in (
        manager.patch(url, {"is_active": True}),
        manager.patch(url, {"name": "x"}),
        manager.post(LISTENERS, new),
    ):
        assert "locked" in faults(response)["#"]


def test_a_key_of_one_project_does_not_reach_the_community(
    bugs: FeedbackType, new: dict[str, Any]
) -> None:
    local = program(issue_key(bugs, scope_manage=True, project=bugs.project))
    whole = factories.macro(bugs.project.community, "https://example.com/")
    run = {"kind": "run", "macro": whole.pk}
    response = local.post(LISTENERS, new | {"actions": [run]})
    assert list(faults(response)) == ["#/actions/0/macro"]
    community = {**new, "type": None, "community": bugs.project.community_id}
    problem(
        local.post(
            LISTENERS,
            {**community, "subject_kind": "feedback", "actions": new["actions"][:1]},
        ),
        403,
        "permission_denied",
    )
    assert local.post(LISTENERS, new).status_code == 201


def test_a_renewed_address_is_another(bugs: FeedbackType, builder: APIClient) -> None:
    listener = factories.listener(bugs)
    before = listener.key
    url = f"{LISTENERS}{listener.pk}/renew/"
    assert list(faults(builder.post(url, {"hours": -1}))) == ["#/hours"]
    renewed = builder.post(url, {"hours": 0})
    assert renewed.status_code == 200 and before not in renewed.json()["address"]
    assert listener.key in renewed.json()["address"]


def test_calls_and_events_are_read_and_replayed(
    bugs: FeedbackType, builder: APIClient
) -> None:
    listener = factories.listener(bugs)
    call = factories.inbound_call(listener, b'{"a": "\xff"}', headers={"x-event": "a"})
    event = factories.inbound_event(call, "no_record", detail="None.", changes="a\nb")
    other = factories.inbound_call(listener)
    assert [each["id"] for each in builder.get(CALLS).json()["results"]] == [
        other.pk,
        call.pk,
    ]
    body = builder.get(f"{CALLS}{call.pk}/").json()
    assert body["headers"] == {"x-event": "a"} and body["body"] == '{"a": "\ufffd"}'
    assert body["body_size"] == 10 and body["state"] == "done"
    [row] = builder.get("/api/v1/events/", {"call": call.pk}).json()["results"]
    assert (row["id"], row["outcome"], row["changes"]) == (
        *(event.pk, "no_record"),
        ["a", "b"],
    )
    assert builder.get(f"/api/v1/events/{event.pk}/").json() == row
    once = {"HTTP_IDEMPOTENCY_KEY": "once"}
    for _ in range(2):
        replayed = builder.post(f"{CALLS}{call.pk}/replay/", **once)
        assert replayed.json() == {"replayed": 1}
    assert InboundCall.objects.filter(replay_of=call).count() == 1
    both = builder.post(f"{CALLS}replay/", {"ids": [call.pk, other.pk, call.pk]})
    assert both.json() == {"replayed": 2}
    details = AuditEntry.objects.filter(action="resent").values_list(
        "detail", flat=True
    )
    assert sorted(details) == ["Replayed 1 call.", "Replayed 2 calls."]


def test_of_calls_all_are_replayed_or_none(
    bugs: FeedbackType, builder: APIClient
) -> None:
    own = factories.inbound_call(factories.listener(bugs))
    theirs = factories.feedback_type("Ideas", "IDEA")
    hidden = factories.inbound_call(factories.listener(theirs))
    for ids, pointer in (
        ([own.pk, hidden.pk], "#/ids/1"),
        ([own.pk, 999_999], "#/ids/1"),
        ([], "#/ids"),
        ([str(own.pk)], "#/ids/0"),
        (own.pk, "#/ids"),
    ):
        assert list(faults(builder.post(f"{CALLS}replay/", {"ids": ids}))) == [pointer]
    reader = program(issue_key(bugs, "Reader", scope_run=False))
    problem(reader.post(f"{CALLS}{own.pk}/replay/"), 403, "missing_scope")
    problem(reader.post(f"{CALLS}replay/", {"ids": [own.pk]}), 403, "missing_scope")
    assert InboundCall.objects.count() == 2
    assert json.dumps(builder.get(CALLS).json()).count('"state"') == 1
