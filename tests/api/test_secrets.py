"""Secrets over the API: values go in and never come out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from feedback.access.roles import Role
from feedback.models import FeedbackType, Project
from logs.models import AuditEntry
from macros.models import Secret
from tests import factories
from tests.api.callers import issue_key, person, problem, program

SECRETS = "/api/v1/secrets/"
VALUE = "hunter2-hunter2"
NEW = {"name": "Slack URL", "value": VALUE, "hosts": ["hooks.slack.com"]}


@pytest.fixture
def vault(bugs: FeedbackType) -> APIClient:
    """A program that keeps the community's secrets."""
    return program(issue_key(bugs, scope_secrets=True))


def faults(response: Any) -> dict[str, str]:
    problems = problem(response, 400, "invalid")["errors"]
    return {each["pointer"]: each["detail"] for each in problems}


def test_a_program_adds_a_secret_and_nobody_reads_it_back(
    bugs: FeedbackType, vault: APIClient
) -> None:
    made = vault.post(SECRETS, NEW, format="json")
    assert made.status_code == 201, made.json()
    secret = Secret.objects.get()
    assert (secret.community, secret.project) == (bugs.project.community, None)
    assert (secret.reveal(), secret.hosts) == (VALUE, "hooks.slack.com")
    responses = [made, vault.get(SECRETS), vault.get(f"{SECRETS}{secret.pk}/")]
    assert all(VALUE not in each.content.decode() for each in responses)
    assert all("encrypted" not in each.content.decode() for each in responses)
    assert made.json()["hosts"] == ["hooks.slack.com"]
    entry = AuditEntry.objects.get(action="created", object_type="macros.secret")
    assert entry.api_key and VALUE not in json.dumps(entry.changes)


def test_a_value_is_changed_and_what_uses_it_is_told(
    bugs: FeedbackType, vault: APIClient
) -> None:
    secret = factories.secret(bugs, "token", hosts="example.com")
    factories.macro(bugs, "https://example.com/((Secret: token))", name="To them")
    response = vault.patch(
        f"{SECRETS}{secret.pk}/", {"value": "another-value"}, format="json"
    )
    assert response.status_code == 200, response.json()
    [user] = response.json()["used_by"]
    assert user.startswith("Macro To them (")
    secret.refresh_from_db()
    assert (secret.reveal(), secret.hosts) == ("another-value", "example.com")
    assert "value was changed" in AuditEntry.objects.get(action="changed").detail


def test_more_hosts_need_the_value_again(bugs: FeedbackType, vault: APIClient) -> None:
    secret = factories.secret(bugs, "token", hosts="example.com")
    url = f"{SECRETS}{secret.pk}/"
    for hosts in (["example.com", "evil.example"], []):
        problems = faults(vault.patch(url, {"hosts": hosts}, format="json"))
        assert list(problems) == ["#/value"]
    secret.refresh_from_db()
    assert secret.hosts == "example.com"
    again = {"hosts": ["example.org"], "value": VALUE}
    assert vault.patch(url, again, format="json").status_code == 200


def test_a_secret_in_use_is_not_deleted(bugs: FeedbackType, vault: APIClient) -> None:
    secret = factories.secret(bugs, "token")
    macro = factories.macro(bugs, "https://example.com/((Secret: token))")
    problems = problem(vault.delete(f"{SECRETS}{secret.pk}/"), 409, "in_use")["detail"]
    assert macro.name in problems
    macro.delete()
    assert vault.delete(f"{SECRETS}{secret.pk}/").status_code == 204
    assert not Secret.objects.exists()
    assert AuditEntry.objects.filter(
        action="deleted", object_type="macros.secret"
    ).exists()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": ""}, "#/name"),
        ({"name": "a|b"}, "#/name"),
        ({"value": "short"}, "#/value"),
        ({"value": "nul\0nul"}, "#/value"),
        ({"value": None}, "#/value"),
        ({"hosts": "hooks.slack.com"}, "#/hosts"),
        ({"hosts": ["https://hooks.slack.com/x"]}, "#/hosts"),
        ({"project": 0}, "#/project"),
        ({"project": "x"}, "#/project"),
        ({"encrypted_value": "x"}, "#/encrypted_value"),
        ({"hostss": []}, "#/hostss"),
    ],
)
def test_a_fault_names_its_member_and_nothing_is_kept(
    bugs: FeedbackType, vault: APIClient, changes: dict[str, Any], pointer: str
) -> None:
    problems = faults(vault.post(SECRETS, NEW | changes, format="json"))
    assert pointer in problems
    assert VALUE not in json.dumps(problems)
    assert not Secret.objects.exists()


def test_a_second_of_the_name_is_refused(bugs: FeedbackType, vault: APIClient) -> None:
    factories.secret(bugs, "slack_url")
    problems = faults(vault.post(SECRETS, NEW, format="json"))
    assert "has a secret of this name" in problems["#/name"]


def test_name_and_owner_stay(bugs: FeedbackType, vault: APIClient) -> None:
    secret = factories.secret(bugs, "token")
    changes = {"name": "other", "project": bugs.project_id}
    problems = faults(vault.patch(f"{SECRETS}{secret.pk}/", changes, format="json"))
    assert set(problems) == {"#/name", "#/project"}


def test_a_key_without_the_scope_sees_none(
    bugs: FeedbackType, caller: APIClient
) -> None:
    secret = factories.secret(bugs, "token")
    problem(caller.get(SECRETS), 403, "missing_scope")
    problem(caller.post(SECRETS, NEW, format="json"), 403, "missing_scope")
    problem(caller.delete(f"{SECRETS}{secret.pk}/"), 403, "missing_scope")
    assert Secret.objects.count() == 1


def test_a_key_of_one_project_keeps_its_secrets_only(bugs: FeedbackType) -> None:
    of_all = factories.secret(bugs, "shared")
    token = issue_key(bugs, scope_secrets=True, project=bugs.project)
    vault = program(token)
    assert vault.get(SECRETS).json()["results"] == []
    problem(vault.get(f"{SECRETS}{of_all.pk}/"), 404, "not_found")
    problems = problem(
        vault.post(SECRETS, NEW, format="json"), 403, "permission_denied"
    )
    assert "one project" in problems["detail"]
    own = vault.post(SECRETS, NEW | {"project": bugs.project_id}, format="json")
    assert own.status_code == 201
    next_door = Project.objects.create(community=bugs.project.community, name="Watch")
    problems = faults(
        vault.post(SECRETS, NEW | {"project": next_door.pk}, format="json")
    )
    assert "#/project" in problems
    assert Secret.objects.count() == 2


def test_a_key_that_may_do_nothing_else_keeps_secrets(bugs: FeedbackType) -> None:
    token = issue_key(bugs, scope_secrets=True, scope_read=False, scope_run=False)
    keeper = program(token)
    made = keeper.post(SECRETS, NEW, format="json")
    assert made.status_code == 201, made.json()
    own = {**NEW, "name": "Own", "project": bugs.project_id}
    assert keeper.post(SECRETS, own, format="json").status_code == 201
    other = factories.feedback_type("Ideas", "IDEA")
    problems = faults(
        keeper.post(SECRETS, NEW | {"project": other.project_id}, format="json")
    )
    assert "#/project" in problems
    assert len(keeper.get(SECRETS).json()["results"]) == 2


def test_another_communitys_are_not_found(bugs: FeedbackType, vault: APIClient) -> None:
    other = factories.feedback_type("Ideas", "IDEA")
    theirs = factories.secret(other, "token")
    url = f"{SECRETS}{theirs.pk}/"
    problem(vault.get(url), 404, "not_found")
    problem(vault.patch(url, {"value": VALUE * 2}, format="json"), 404, "not_found")
    problem(vault.delete(url), 404, "not_found")
    for owner in (
        {"community": other.project.community_id},
        {"project": other.project_id},
    ):
        assert faults(vault.post(SECRETS, NEW | owner, format="json"))
    theirs.refresh_from_db()
    assert theirs.reveal() == VALUE
    assert Secret.objects.count() == 1


def test_people_say_to_which_community_it_belongs(bugs: FeedbackType) -> None:
    manager = person(factories.member(bugs, Role.COMMUNITY_MANAGER, "mia"))
    assert "#/community" in faults(manager.post(SECRETS, NEW, format="json"))
    owner = {"community": bugs.project.community_id}
    assert manager.post(SECRETS, NEW | owner, format="json").status_code == 201
    local = person(
        factories.member(bugs, Role.PROJECT_MANAGER, "paul", in_project=True)
    )
    other = {**NEW, **owner, "name": "Other"}
    problem(local.post(SECRETS, other, format="json"), 403, "permission_denied")
    assert Secret.objects.count() == 1
