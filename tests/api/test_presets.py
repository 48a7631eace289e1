"""Macros from presets: what each asks for, and what comes of what is filled in."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from feedback.models import FeedbackType
from logs.models import AuditEntry
from macros.authoring.presets import all_presets
from macros.models import Macro, Secret
from tests import factories
from tests.api.callers import issue_key, problem, program

PRESETS = "/api/v1/macros/presets/"
URL = "/api/v1/macros/from-preset/"
VALUE = "https://hooks.slack.com/services/T0/B0/not-to-be-seen"
SLACK = {"slack_url": {"value": VALUE}}


@pytest.fixture
def builder(bugs: FeedbackType) -> APIClient:
    return program(issue_key(bugs, scope_manage=True, scope_secrets=True))


def filled_in(preset: str) -> dict[str, Any]:
    """What the API says that the preset asks for, answered."""
    asked = all_presets()[preset]
    return {
        "settings": {
            each.key: each.default or (each.choices or [each.example])[0]
            for each in asked.settings
        },
        "secrets": {
            each.key: {
                "value": VALUE if each.kind == "url" else "a-token-of-some-length"
            }
            for each in asked.secrets
        },
    }


def test_every_preset_is_listed_with_what_it_asks_for(caller: APIClient) -> None:
    rows = caller.get(PRESETS).json()["presets"]
    assert [row["id"] for row in rows] == list(all_presets())
    jira = next(row for row in rows if row["id"] == "jira-create")
    assert [each["key"] for each in jira["secrets"]] == ["jira_token"]
    site = jira["settings"][0]
    assert (site["key"], site["kind"]) == ("site", "url")
    assert site["example"] == "https://your-team.atlassian.net"
    problem(caller.get(f"{PRESETS}?vendor=Slack"), 400, "invalid")


@pytest.mark.parametrize("preset", list(all_presets()))
def test_every_preset_becomes_a_macro(
    builder: APIClient, bugs: FeedbackType, preset: str
) -> None:
    is_for_tickets = all_presets()[preset].subject_kind == "ticket"
    whose = {"type": bugs.pk} if is_for_tickets else {"project": bugs.project_id}
    made = builder.post(URL, {"preset": preset, **whose, **filled_in(preset)})
    assert made.status_code == 201, made.json()
    assert builder.get(made["Location"]).json() == made.json()
    macro = Macro.objects.get()
    assert macro.name == all_presets()[preset].title
    assert len(macro.concrete_steps()) == len(all_presets()[preset].requests)
    assert Secret.objects.count() == len(all_presets()[preset].secrets)
    created = AuditEntry.objects.filter(action="created", object_type="macros.macro")
    assert created.count() == 1


def test_a_secret_is_bound_to_its_host_and_not_shown(
    builder: APIClient, bugs: FeedbackType
) -> None:
    body = {"preset": "slack-text", "type": bugs.pk, "name": "Chat", "secrets": SLACK}
    made = builder.post(URL, body)
    assert made.json()["name"] == "Chat"
    assert "not-to-be-seen" not in made.content.decode()
    secret = Secret.objects.get()
    assert (secret.name, secret.hosts) == ("slack_url", "hooks.slack.com")
    assert secret.project_id == bugs.project_id
    # A second one uses it.
    body = {"preset": "slack-text", "type": bugs.pk, "name": "Chat 2"}
    assert builder.post(URL, body).status_code == 201
    assert Secret.objects.count() == 1


def test_new_secrets_of_the_community(builder: APIClient, bugs: FeedbackType) -> None:
    named = {"slack_url": {"name": "Chat", "value": VALUE}}
    body = {"preset": "slack-text", "type": bugs.pk, "secrets": named}
    assert builder.post(URL, {**body, "keep_in": "community"}).status_code == 201
    secret = Secret.objects.get()
    assert (secret.name, secret.project) == ("Chat", None)


def test_sent_again_it_is_made_once(builder: APIClient, bugs: FeedbackType) -> None:
    body = {"preset": "slack-text", "type": bugs.pk, "secrets": SLACK}
    once = {"idempotency-key": "once"}
    first, again = (builder.post(URL, body, headers=once) for _ in range(2))
    assert first.json() == again.json() and Macro.objects.count() == 1


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no preset": ({"preset": None}, "#/preset"),
    "unknown preset": ({"preset": "slack"}, "#/preset"),
    "unknown member": ({"titel": "x"}, "#/titel"),
    "unknown setting": ({"settings": {"channel": "x"}}, "#/settings/channel"),
    "a setting that is no text": ({"settings": {"channel": 3}}, "#/settings/channel"),
    "settings as a list": ({"settings": []}, "#/settings"),
    "unknown secret": ({"secrets": {"token": {"value": VALUE}}}, "#/secrets/token"),
    "a secret as text": ({"secrets": {"slack_url": VALUE}}, "#/secrets/slack_url"),
    "no URL": (
        {"secrets": {"slack_url": {"value": "hooks.slack.com"}}},
        "#/secrets/slack_url/value",
    ),
    "a short value": (
        {"secrets": {"slack_url": {"value": "x"}}},
        "#/secrets/slack_url/value",
    ),
    "no secret yet": ({"secrets": {}}, "#/secrets/slack_url/value"),
    "a name that is taken": (
        {"secrets": {"slack_url": {"name": "Taken", "value": VALUE}}},
        "#/secrets/slack_url/name",
    ),
    "testers": ({"type": None, "project": 0}, "#/project"),
    "two owners": ({"project": 1}, "#/type"),
    "another's type": ({"type": 10**9}, "#/type"),
    "keep in": ({"keep_in": "here"}, "#/keep_in"),
    "a long name": ({"name": "x" * 101}, "#/name"),
    "an empty name": ({"name": ""}, "#/name"),
}


@pytest.mark.parametrize(("changes", "pointer"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named_and_nothing_is_made(
    builder: APIClient, bugs: FeedbackType, changes: dict[str, Any], pointer: str
) -> None:
    factories.secret(bugs, "Taken", "xoxb-0123456789")
    body = {"preset": "slack-text", "type": bugs.pk, "secrets": SLACK, **changes}
    if body.get("project") == 0:
        body |= {"project": bugs.project_id}
    body = {name: value for name, value in body.items() if value is not None}
    refusal = problem(builder.post(URL, body), 400, "invalid")
    assert refusal["errors"][0]["pointer"] == pointer, refusal
    assert "not-to-be-seen" not in str(refusal)
    assert not Macro.objects.exists() and Secret.objects.count() == 1


def test_settings_are_checked_as_in_the_admin(
    builder: APIClient, bugs: FeedbackType
) -> None:
    body = {"preset": "jira-create", "type": bugs.pk, **filled_in("jira-create")}
    del body["settings"]["site"]
    refusal = problem(builder.post(URL, body), 400, "invalid")
    assert refusal["errors"] == [
        {"pointer": "#/settings/site", "detail": "Give a value."}
    ]
    body["settings"]["site"] = "not a site"
    refusal = problem(builder.post(URL, body), 400, "invalid")
    assert refusal["errors"][0]["pointer"] == "#/settings/site"


def test_who_may_not(bugs: FeedbackType, caller: APIClient) -> None:
    body = {"preset": "slack-text", "type": bugs.pk, "secrets": SLACK}
    problem(caller.post(URL, body), 403, "missing_scope")
    keeper = program(issue_key(bugs, "Keeps", scope_manage=True))
    refusal = problem(keeper.post(URL, body), 400, "invalid")
    [error] = refusal["errors"]
    assert error["pointer"] == "#/secrets/slack_url/name"
    assert error["detail"] == "You may not add secrets to the project."
    assert not Macro.objects.exists() and not Secret.objects.exists()
