"""Macros over the API: read whole, written whole, and what they would do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from feedback.access.roles import Role
from feedback.models import FeedbackType
from logs.models import AuditEntry, Cause, Run
from macros.models import Macro, MacroVersion, Secret
from tests import factories
from tests.api.callers import issue_key, person, problem, program

MACROS = "/api/v1/macros/"
TYPED = "Bearer a-long-token-that-somebody-typed"
REQUEST = {
    "kind": "web_request",
    "url": "https://example.com/((Reference))",
    "headers": "Authorization: ((Secret: jira))",
    "body": '{"title": "((Title))"}',
}
STEPS = [REQUEST, {"kind": "change_status", "status": "Closed"}]


@pytest.fixture
def builder(bugs: FeedbackType) -> APIClient:
    """A program that sets up automation and may run it."""
    return program(issue_key(bugs, scope_manage=True))


@pytest.fixture
def new(bugs: FeedbackType) -> dict[str, Any]:
    factories.secret(bugs, "jira")
    return {"name": "To Jira", "type": bugs.pk, "steps": STEPS}


def faults(response: Any) -> dict[str, str]:
    problems = problem(response, 400, "invalid")["errors"]
    return {each["pointer"]: each["detail"] for each in problems}


def typed(bugs: FeedbackType) -> Macro:
    """A macro with a credential in a header."""
    made = factories.macro(bugs, "https://example.com/a", name="Typed")
    made.steps.get().concrete.__class__.objects.update(
        headers=f"Authorization: {TYPED}"
    )
    return made


def test_a_macro_is_made_with_its_steps_and_read_back(
    bugs: FeedbackType, builder: APIClient, new: dict[str, Any]
) -> None:
    made = builder.post(MACROS, new)
    assert made.status_code == 201, made.json()
    body = made.json()
    assert (body["name"], body["type"]["id"], body["step_count"]) == (
        *("To Jira", bugs.pk),
        2,
    )
    first, second = body["steps"]
    assert first.items() >= REQUEST.items()
    assert second == STEPS[1]
    assert builder.get(f"{MACROS}{body['id']}/").json() == body
    assert made["Location"].endswith(f"{MACROS}{body['id']}/")
    entry = AuditEntry.objects.get(action="created", object_type="macros.macro")
    assert entry.api_key and MacroVersion.objects.get().number == 1


def test_a_whole_macro_is_sent_back_and_is_the_same(
    builder: APIClient, new: dict[str, Any]
) -> None:
    body = builder.post(MACROS, new).json()
    url = f"{MACROS}{body['id']}/"
    again = builder.patch(url, body)
    assert again.status_code == 200, again.json()
    assert again.json()["steps"] == body["steps"]
    assert MacroVersion.objects.count() == 1


def test_steps_are_changed_together_or_not_at_all(
    builder: APIClient, new: dict[str, Any]
) -> None:
    body = builder.post(MACROS, new).json()
    url = f"{MACROS}{body['id']}/"
    first, second = body["steps"]
    wrong = {**second, "status": "Nowhere"}
    changes = {"name": "Other", "steps": [{**first, "method": "PUT"}, wrong]}
    assert list(faults(builder.patch(url, changes))) == ["#/steps/1/status"]
    assert builder.get(url).json()["name"] == "To Jira"
    changes["steps"] = [second, {**first, "method": "PUT"}]
    changed = builder.patch(url, changes).json()
    assert [each["kind"] for each in changed["steps"]] == [
        "change_status",
        "web_request",
    ]
    assert (changed["name"], changed["steps"][1]["method"]) == ("Other", "PUT")
    assert MacroVersion.objects.count() == 2


def test_no_response_has_a_typed_credential_and_it_is_kept(
    bugs: FeedbackType, builder: APIClient
) -> None:
    macro = typed(bugs)
    url = f"{MACROS}{macro.pk}/"
    body = builder.get(url).json()
    assert TYPED not in json.dumps(body)
    assert "((Secret: authorization))" in body["steps"][0]["headers"]
    change = {"kind": "change_status", "status": "Closed"}
    typed_url = "https://hooks.slack.com/services/T0/B0/abcdefghijkl"
    checked = builder.post(
        f"{url}validate/", {"steps": [REQUEST | {"headers": "", "url": typed_url}]}
    )
    assert checked.json()["steps"] == ["POST https://hooks.slack.com/…"]
    changed = builder.patch(url, {"steps": [change, *body["steps"]]})
    assert changed.status_code == 200, changed.json()
    stored = macro.concrete_steps()[1]
    assert stored.settings()["headers"] == f"Authorization: {TYPED}"
    # It goes nowhere else: the step's other settings were given anew.
    moved = {**body["steps"][0], "url": "https://evil.example/"}
    assert "#/steps/0/headers" in faults(builder.patch(url, {"steps": [moved]}))
    for version in MacroVersion.objects.all():
        shown = builder.get(f"/api/v1/versions/{version.pk}/")
        assert TYPED not in shown.content.decode()


def test_what_is_hidden_in_token_parameters_is_dots(
    bugs: FeedbackType, builder: APIClient
) -> None:
    macro = factories.macro(bugs, "https://example.com/a")
    step = macro.concrete_steps()[0]
    type(step).objects.update(token_parameters="scope=a\nclient_secret=hunter2-hunter2")
    body = builder.get(f"{MACROS}{macro.pk}/").json()
    assert body["steps"][0]["token_parameters"] == "scope=a\nclient_secret=••••••"


def test_who_may_not_see_templates_sees_none(
    bugs: FeedbackType, caller: APIClient, observer: APIClient
) -> None:
    macro = typed(bugs)
    for client in (caller, observer):
        body = client.get(f"{MACROS}{macro.pk}/").json()
        assert body["steps"] is None and body["step_count"] == 1
        problem(
            client.patch(f"{MACROS}{macro.pk}/", {"name": "x"}),
            403,
            "missing_scope" if client is caller else "permission_denied",
        )


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": ""}, "#/name"),
        ({"name": 5}, "#/name"),
        ({"name": None}, "#/name"),
        ({"is_active": "true"}, "#/is_active"),
        ({"is_active": 1}, "#/is_active"),
        ({"retry_ladder": "soon"}, "#/retry_ladder"),
        ({"paused_reason": "x"}, "#/paused_reason"),
        ({"triggers": []}, "#/triggers"),
        ({"namee": "x"}, "#/namee"),
        ({"a.b[0]": "x"}, "#/a.b[0]"),
        ({"steps": {}}, "#/steps"),
        ({"steps": None}, "#/steps"),
        ({"steps": [5]}, "#/steps/0"),
        ({"steps": [{}]}, "#/steps/0/kind"),
        ({"steps": [{"kind": "teleport"}]}, "#/steps/0/kind"),
        ({"steps": [{"kind": ["web_request"]}]}, "#/steps/0/kind"),
        ({"steps": [REQUEST | {"urll": "x"}]}, "#/steps/0/urll"),
        ({"steps": [REQUEST | {"u.r[1]": "x"}]}, "#/steps/0/u.r[1]"),
        ({"steps": [REQUEST | {"url": 5}]}, "#/steps/0/url"),
        ({"steps": [REQUEST, REQUEST | {"url": "((Nope))"}]}, "#/steps/1/url"),
        ({"steps": [REQUEST | {"headers": "X: ((Secret: no))"}]}, "#/steps/0/headers"),
        ({"steps": [REQUEST | {"return_values": 5}]}, "#/steps/0/return_values"),
        ({"type": "1"}, "#/type"),
        ({"type": True}, "#/type"),
        ({"type": 0}, "#/type"),
        ({"type": 10**30}, "#/type"),
        ({"project": 1}, "#/type"),
    ],
)
def test_a_fault_names_its_member_and_nothing_is_kept(
    builder: APIClient, new: dict[str, Any], changes: dict[str, Any], pointer: str
) -> None:
    response = builder.post(MACROS, new | changes)
    assert pointer in faults(response), response.json()
    response = builder.post(f"{MACROS}validate/", new | changes)
    assert pointer in faults(response), response.json()
    assert not Macro.objects.exists() and not AuditEntry.objects.filter(
        object_type="macros.macro"
    )


def test_a_name_is_taken_once(builder: APIClient, new: dict[str, Any]) -> None:
    assert builder.post(MACROS, new).status_code == 201
    response = builder.post(MACROS, new | {"name": "to JIRA"})
    assert "has a macro of this name" in json.dumps(faults(response))


def test_the_owner_stays(
    bugs: FeedbackType, builder: APIClient, new: dict[str, Any]
) -> None:
    made = builder.post(MACROS, new).json()
    changes = {"type": None, "project": bugs.project_id}
    response = builder.patch(f"{MACROS}{made['id']}/", changes)
    assert list(faults(response)) == ["#/type", "#/project"]


def test_validating_saves_nothing(builder: APIClient, new: dict[str, Any]) -> None:
    checked = builder.post(f"{MACROS}validate/", new)
    assert checked.status_code == 200, checked.json()
    assert len(checked.json()["steps"]) == 2 and not Macro.objects.exists()
    made = builder.post(MACROS, new).json()
    url = f"{MACROS}{made['id']}/"
    changed = builder.post(f"{url}validate/", {"name": "Other", "steps": STEPS[1:]})
    assert {"Name", "Step 1, web request: removed"} <= {*changed.json()["changes"]}
    assert builder.get(url).json() == made
    assert MacroVersion.objects.count() == 1


def test_another_community_is_not_there(bugs: FeedbackType, builder: APIClient) -> None:
    other = factories.feedback_type("Ideas", "IDEA")
    theirs = factories.macro(other, "https://example.com/")
    for number in (other.pk, 999_999):
        assert faults(builder.post(MACROS, {"name": "x", "type": number})) == {
            "#/type": f"There is no feedback type {number}."
        }
    url = f"{MACROS}{theirs.pk}/"
    for response in (
        builder.get(url),
        builder.patch(url, {"name": "x"}),
        builder.delete(url),
        *(
            builder.post(f"{url}{each}/", {})
            for each in ("validate", "test", "preview")
        ),
        *(builder.post(f"{url}{each}/", {}) for each in ("duplicate", "export")),
    ):
        problem(response, 404, "not_found")


def test_a_key_of_one_project_keeps_to_it(bugs: FeedbackType) -> None:
    token = issue_key(bugs, scope_manage=True, project=bugs.project)
    local = program(token)
    community = {"name": "x", "community": bugs.project.community_id}
    problem(local.post(MACROS, community), 403, "permission_denied")
    own = local.post(MACROS, {"name": "x"})
    assert own.status_code == 201 and own.json()["project"]["id"] == bugs.project_id
    assert own.json()["subject_kind"] == "tester"
    whole = factories.macro(bugs.project.community, "https://example.com/")
    problem(local.patch(f"{MACROS}{whole.pk}/", {"name": "y"}), 404, "not_found")


def test_a_locked_community_takes_no_new_request(bugs: FeedbackType) -> None:
    manager = person(factories.member(bugs, Role.COMMUNITY_MANAGER, "mia"))
    macro = factories.macro(bugs, "https://example.com/")
    bugs.project.community.api_keys.all().delete()
    url = f"{MACROS}{macro.pk}/"
    response = manager.patch(url, {"steps": [REQUEST | {"headers": ""}]})
    assert "locked" in faults(response)["#"]
    assert manager.patch(url, {"name": "Other"}).status_code == 200


def test_a_macro_in_use_is_not_deleted(bugs: FeedbackType, builder: APIClient) -> None:
    macro = factories.macro(bugs, "https://example.com/")
    trigger = factories.trigger(macro)
    url = f"{MACROS}{macro.pk}/"
    assert trigger.name in problem(builder.delete(url), 409, "in_use")["detail"]
    trigger.delete()
    assert builder.delete(url).status_code == 204
    assert AuditEntry.objects.filter(action="deleted", object_type="macros.macro")


def test_a_preview_is_masked_and_sends_nothing(
    bugs: FeedbackType, builder: APIClient, new: dict[str, Any]
) -> None:
    ticket = factories.ticket(bugs, title='Say "A"')
    made = builder.post(MACROS, new).json()
    url = f"{MACROS}{made['id']}/preview/"
    shown = builder.post(url, {"subject": ticket.pk})
    assert shown.status_code == 200, shown.json()
    [request] = shown.json()["requests"]
    assert request["url"].endswith(ticket.reference)
    assert json.loads(request["body"]) == {"title": 'Say "A"'}
    assert Secret.objects.get().reveal() not in shown.content.decode()
    assert shown.json()["changes"] and not Run.objects.exists()
    theirs = factories.ticket(factories.feedback_type("Ideas", "IDEA"))
    for number in (theirs.pk, 999_999, "1", True, None):
        assert list(faults(builder.post(url, {"subject": number}))) == ["#/subject"]
    assert list(faults(builder.post(url, {"subject": 1, "to": 2}))) == ["#/to"]


def test_a_test_goes_to_the_echo_unless_told(
    bugs: FeedbackType, builder: APIClient, new: dict[str, Any]
) -> None:
    ticket = factories.ticket(bugs)
    made = builder.post(MACROS, new).json()
    url = f"{MACROS}{made['id']}/test/"
    sent = builder.post(url, {"subject": ticket.pk})
    assert sent.status_code == 201, sent.json()
    run = Run.objects.get(pk=sent.json()["id"])
    assert run.cause == Cause.TEST and run.snapshot["test"] == {
        "echo": True,
        "store": False,
    }
    builder.post(url, {"subject": ticket.pk, "to": "real", "store": True})
    assert Run.objects.latest("pk").snapshot["test"]["echo"] is False
    assert list(faults(builder.post(url, {"subject": ticket.pk, "step": 2}))) == [
        "#/step"
    ]
    prefer = {"prefer": "respond-async"}
    later = builder.post(url, {"subject": ticket.pk}, headers=prefer)
    assert later.status_code == 202
    assert later["Location"].endswith(f"/runs/{later.json()['id']}/")
    again = {"HTTP_IDEMPOTENCY_KEY": "once"}
    first = builder.post(url, {"subject": ticket.pk}, **again).json()
    assert builder.post(url, {"subject": ticket.pk}, **again).json() == first


def test_who_sets_up_but_may_not_run_sends_no_test(bugs: FeedbackType) -> None:
    keeper = program(issue_key(bugs, scope_manage=True, scope_run=False))
    macro = factories.macro(bugs, "https://example.com/")
    ticket = factories.ticket(bugs)
    url = f"{MACROS}{macro.pk}/test/"
    problem(keeper.post(url, {"subject": ticket.pk}), 403, "missing_scope")


def test_a_macro_is_duplicated_exported_paused_and_resumed(
    builder: APIClient, new: dict[str, Any]
) -> None:
    made = builder.post(MACROS, new).json()
    url = f"{MACROS}{made['id']}/"
    copy = builder.post(f"{url}duplicate/")
    assert copy.status_code == 201
    assert (copy.json()["name"], copy.json()["steps"]) == (
        "Copy of To Jira",
        made["steps"],
    )
    exported = builder.post(f"{url}export/").json()
    [kind] = exported["types"]
    assert kind["macros"][0]["steps"][1] == STEPS[1]
    assert "paused it" in builder.post(f"{url}pause/").json()["paused_reason"]
    assert builder.post(f"{url}resume/").json()["paused_reason"] == ""


def test_a_stale_change_is_refused(builder: APIClient, new: dict[str, Any]) -> None:
    made = builder.post(MACROS, new)
    url = f"{MACROS}{made.json()['id']}/"
    first = builder.patch(url, {"name": "A"}, HTTP_IF_MATCH=made["ETag"])
    assert first.status_code == 200
    stale = builder.patch(url, {"steps": []}, HTTP_IF_MATCH=made["ETag"])
    problem(stale, 412, "precondition_failed")
    assert builder.get(url)["ETag"] == first["ETag"]


def test_a_program_that_only_sets_up_makes_what_it_can_not_list(
    bugs: FeedbackType, new: dict[str, Any]
) -> None:
    keeper = program(
        issue_key(bugs, scope_manage=True, scope_read=False, scope_run=False)
    )
    made = keeper.post(MACROS, new)
    macro = Macro.objects.get()
    assert (made.status_code, made.json()) == (201, {"id": macro.pk})
    problem(keeper.get(MACROS), 403, "missing_scope")
    other = keeper.patch(f"{MACROS}{macro.pk}/", {"name": "Other"})
    assert (other.status_code, other.json()) == (200, {"id": macro.pk})
    macro.refresh_from_db()
    assert macro.name == "Other" and macro.steps.count() == 2
