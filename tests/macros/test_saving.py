"""Macros and secrets are saved by one function each, whoever asks for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse

from feedback.access.roles import Role
from feedback.models import FeedbackType, Project
from logs.models import AuditEntry
from macros import config
from macros.config import Existing, save_macro, save_secret
from macros.models import Macro, MacroVersion, Secret, Step
from macros.steps.kinds.add_comment import AddComment
from macros.steps.kinds.web_request import WebRequest
from tests import factories
from tests.admin.conftest import olivia, page
from tests.api.callers import issue_key, program

__all__ = ["olivia", "page"]

VALUE = "hunter2-hunter2"
REQUEST = "web request POST https://a.example/…"
ON = ("is_active", "asks_confirmation")
CAUSES = ("connection", "timeout", "server_error", "busy", "unknown")
Way = Callable[[Client, FeedbackType], object]


@pytest.fixture
def bugs(page: Client) -> FeedbackType:
    return factories.feedback_type()


def entry(row: Macro | Secret, after: int = 0) -> AuditEntry:
    """The only one about the row, of those that are newer than a number."""
    rows = AuditEntry.objects.filter(object_id=row.pk, pk__gt=after)
    return rows.get(object_type=row._meta.label_lower)


def newest() -> int:
    last = AuditEntry.objects.order_by("pk").last()
    return last.pk if last else 0


def macro_form(of: FeedbackType, *, body: str, **values: object) -> dict[str, object]:
    data: dict[str, object] = {
        "feedback_type": of.pk,
        "name": "Post",
        **dict.fromkeys([*ON, *(f"retry_{cause}" for cause in CAUSES)], "on"),
        "retry_ladder": "5 s",
        "steps-TOTAL_FORMS": 1,
        "steps-INITIAL_FORMS": 0,
        "steps-0-position": 1,
        "steps-0-is_active": "on",
        "steps-0-method": "POST",
        "steps-0-url": "https://a.example/in",
        "steps-0-body_kind": "json",
        "steps-0-body": body,
    }
    return data | values


def document(of: FeedbackType, **values: object) -> dict[str, Any]:
    """A file with a macro, and a secret that it uses."""
    step = {
        "kind": "web_request",
        "url": "https://a.example/in",
        "body": '{"t": "((Secret: token))"}',
    }
    macro = {"name": "Post", "steps": [step], **values}
    type_ = {"name": of.name, "prefix": "BUG", "macros": [macro]}
    return {"centerhook": {"format": 1}, "types": [type_]}


def by_form(page: Client, bugs: FeedbackType) -> None:
    secret: dict[str, object] = {"project": bugs.project_id}
    secret |= {"community": bugs.project.community_id}
    secret |= {"name": "token", "value": VALUE}
    page.post(reverse("admin:macros_secret_add"), secret)
    page.post(reverse("admin:macros_macro_add"), macro_form(bugs, body="{}"))


def from_preset(page: Client, bugs: FeedbackType) -> None:
    data = {"feedback_type": bugs.pk, "name": "Post", "keep_in": "project"}
    data |= {"secret_slack_url_name": "token"}
    data |= {"secret_slack_url_value": f"https://a.example/{VALUE}"}
    where = reverse("admin:macros_macro_new_preset", args=["slack-text"])
    assert page.post(where, data).status_code == 302


def from_curl(page: Client, bugs: FeedbackType) -> None:
    where = reverse("admin:macros_macro_new_curl")
    command = f"curl https://a.example/in -d '{{}}' -H 'Authorization: Bearer {VALUE}'"
    form = page.post(where, {"command": command}).context["form"]
    data = {name: form[name].value() or "" for name in form.fields}
    data |= {"feedback_type": bugs.pk, "name": "Post"}
    [name] = (each for each in data if each.startswith("secret_") and "_name" in each)
    data |= {name: "token"}
    assert page.post(where, {k: v for k, v in data.items() if v}).status_code == 302


def from_file(page: Client, bugs: FeedbackType) -> None:
    config.import_document(
        document(bugs),
        bugs.project,
        actor=User.objects.get(username="olivia"),
        secrets={"token": VALUE},
        existing=Existing.COPY,
    )


def by_clone(page: Client, bugs: FeedbackType) -> None:
    from_file(page, bugs)
    where = reverse("admin:feedback_project_clone", args=[bugs.project_id])
    page.post(where, {"name": "Another", "secret_token": VALUE})
    bugs.project.delete()


WAYS = [by_form, from_preset, from_curl, from_file, by_clone]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_make_a_macro_leaves_the_same(
    page: Client, bugs: FeedbackType, way: Way
) -> None:
    way(page, bugs)
    macro = Macro.objects.get()
    recorded = entry(macro)
    assert (recorded.action, recorded.actor_name, recorded.object_name) == (
        "created",
        "olivia",
        "Post",
    )
    assert (recorded.project, recorded.community) == (macro.project, macro.community)
    assert recorded.changes["name"] == [None, "Post"]
    assert recorded.changes["is_active"] == [None, True]
    assert recorded.changes["feedback_type"] == [None, str(macro.feedback_type)]
    parts = {name for name in recorded.changes if name.startswith("web request")}
    assert len(parts) == 1 and recorded.changes[parts.pop()] == ["", "added"]
    version = macro.versions.get()
    assert (version.number, version.actor_name) == (1, "olivia")
    assert version.document == config.macro_document(macro)
    assert VALUE not in str(list(AuditEntry.objects.values()))


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_make_a_secret_leaves_the_same(
    page: Client, bugs: FeedbackType, way: Way
) -> None:
    way(page, bugs)
    check_made()


def test_an_api_makes_a_secret_in_the_same_way(bugs: FeedbackType) -> None:
    vault = program(issue_key(bugs, name="olivia", scope_secrets=True))
    new = {"name": "token", "value": VALUE, "project": bugs.project_id}
    assert vault.post("/api/v1/secrets/", new, format="json").status_code == 201
    check_made()


def check_made() -> None:
    secret = Secret.objects.get()
    recorded = entry(secret)
    assert (recorded.action, recorded.actor_name, recorded.object_name) == (
        "created",
        "olivia",
        "token",
    )
    hosts = {"hosts": [None, secret.hosts]} if secret.hosts else {}
    assert recorded.changes == hosts | {
        "community": [None, secret.community.name],
        "project": [None, str(secret.project)],
        "name": [None, "token"],
        "key": ["", "(not shown)"],
        "encrypted_value": ["", "(not shown)"],
    }
    assert VALUE not in str(list(AuditEntry.objects.values()))


def change_by_form(page: Client, macro: Macro) -> str:
    step, of = WebRequest.objects.get(), macro.feedback_type
    assert of is not None
    data = macro_form(of, body='{"new": 1}', description="New words")
    data |= {"steps-INITIAL_FORMS": 1, "steps-0-step_ptr": step.pk}
    where = reverse("admin:macros_macro_change", args=[macro.pk])
    assert page.post(where, data | {"steps-0-macro": macro.pk}).status_code == 302
    return ""


def change_by_file(page: Client, macro: Macro) -> str:
    assert macro.feedback_type is not None and macro.project is not None
    changed = document(macro.feedback_type, description="New words", retry_ladder="5 s")
    changed["types"][0]["macros"][0]["steps"][0]["body"] = '{"new": 1}'
    config.import_document(
        changed,
        macro.project,
        actor=User.objects.get(username="olivia"),
        existing=Existing.REPLACE,
    )
    return "Imported."


def restore(page: Client, macro: Macro) -> str:
    page.post(reverse("admin:macros_macro_restore", args=[macro.pk, 1]))
    return "Restored from version 1."


@pytest.mark.parametrize("way", [change_by_form, change_by_file, restore])
def test_every_way_to_change_a_macro_leaves_the_same(
    page: Client, bugs: FeedbackType, way: Callable[[Client, Macro], str]
) -> None:
    macro = Macro(feedback_type=bugs, name="Post", retry_ladder="5 s")
    step = WebRequest(url="https://a.example/in", position=1)
    for macro.description, step.body in [("New words", '{"new": 1}'), ("", "{}")]:
        save_macro(macro, [step], None)
    before, versions = newest(), macro.versions.count()

    detail = way(page, macro)

    recorded = entry(macro, before)
    action = "restored" if way is restore else "changed"
    assert (recorded.action, recorded.actor_name, recorded.detail) == (
        action,
        "olivia",
        detail,
    )
    assert recorded.changes == {
        "description": ["", "New words"],
        f"{REQUEST}: body": ["(not shown)", "(not shown)"],
    }
    assert WebRequest.objects.get().pk == step.pk
    newer = macro.versions.all()[: macro.versions.count() - versions]
    assert [(each.actor_name, each.note) for each in newer] == [("olivia", detail)]


def by_page(page: Client, bugs: FeedbackType, pk: int, new: dict[str, Any]) -> None:
    page.post(reverse("admin:macros_secret_change", args=[pk]), new)


def by_api(page: Client, bugs: FeedbackType, pk: int, new: dict[str, Any]) -> None:
    vault = program(issue_key(bugs, name="olivia", scope_secrets=True))
    if new.get("hosts"):
        new = new | {"hosts": new["hosts"].split()}
    vault.patch(f"/api/v1/secrets/{pk}/", new, format="json")


@pytest.mark.parametrize("way", [by_page, by_api])
def test_every_way_to_change_a_secret_leaves_the_same(
    page: Client, bugs: FeedbackType, way: Callable[..., None]
) -> None:
    secret = factories.secret(bugs, "token", hosts="a.example")
    new = {"description": "Of the hook", "hosts": "b.example", "value": VALUE * 2}
    way(page, bugs, secret.pk, new)
    recorded = entry(secret)
    assert (recorded.action, recorded.actor_name) == ("changed", "olivia")
    assert recorded.detail == "Its value was changed."
    assert recorded.changes == {
        "encrypted_value": ["(not shown)", "(not shown)"],
        "hosts": ["a.example", "b.example"],
        "description": ["", "Of the hook"],
    }
    assert VALUE not in str(list(AuditEntry.objects.values()))


def delete_by_page(page: Client, bugs: FeedbackType, pk: int) -> None:
    page.post(reverse("admin:macros_secret_delete", args=[pk]), {"post": "yes"})


def delete_by_api(page: Client, bugs: FeedbackType, pk: int) -> None:
    vault = program(issue_key(bugs, name="olivia", scope_secrets=True))
    assert vault.delete(f"/api/v1/secrets/{pk}/").status_code == 204


@pytest.mark.parametrize("way", [delete_by_page, delete_by_api])
def test_every_way_to_delete_a_secret_leaves_the_same(
    page: Client, bugs: FeedbackType, way: Way
) -> None:
    secret = factories.secret(bugs, "token")
    way(page, bugs, secret.pk)  # type: ignore[call-arg]
    recorded = entry(secret)
    assert (recorded.action, recorded.object_name, recorded.changes) == (
        "deleted",
        "token",
        {},
    )


def nothing_was_written() -> bool:
    rows = (Macro, Step, MacroVersion, Secret)
    entries = AuditEntry.objects.exclude(action="signed_in")
    return not entries.exists() and not any(each.objects.exists() for each in rows)


def test_a_macro_is_checked_with_its_steps_before_anything_is_written(
    bugs: FeedbackType,
) -> None:
    steps = [AddComment(text="Fine"), WebRequest(url="", body="((Titel))")]
    with pytest.raises(ValidationError) as caught:
        save_macro(Macro(feedback_type=bugs, name=""), steps, None)
    assert list(caught.value.message_dict) == ["name", "steps[1].url", "steps[1].body"]
    assert nothing_was_written()


def test_a_new_or_changed_web_request_needs_an_unlocked_community(
    bugs: FeedbackType,
) -> None:
    macro, comment = Macro(feedback_type=bugs, name="Post"), AddComment(text="Fine")
    request = WebRequest(url="https://a.example/", body="{}")
    save_macro(macro, [request], None)
    bugs.project.community.api_keys.all().delete()
    macro.description = "It stays as it is."
    save_macro(macro, [comment, request], None)
    request.url = "https://b.example/"
    with pytest.raises(ValidationError, match="^.*Web requests are locked"):
        save_macro(macro, [request], None)
    assert Step.objects.count() == 2
    save_macro(macro, [comment], None)
    assert Step.objects.get().concrete == comment


@pytest.mark.parametrize("role", [Role.OBSERVER, Role.SUPPORT])
def test_whoever_may_not_saves_nothing(bugs: FeedbackType, role: Role) -> None:
    sam = factories.member(bugs, role)
    with pytest.raises(PermissionDenied):
        save_macro(Macro(feedback_type=bugs, name="Post"), [], sam)
    secret = Secret(community=bugs.project.community, name="token")
    with pytest.raises(PermissionDenied):
        save_secret(secret, VALUE, sam)
    assert nothing_was_written()
    made = factories.macro(bugs, name="Post")
    made.name = "Mine"
    with pytest.raises(PermissionDenied):
        save_macro(made, [], sam)
    kept = factories.secret(bugs, "token")
    with pytest.raises(PermissionDenied):
        save_secret(kept, "another-value", sam)
    assert Macro.objects.get().name == "Post"
    assert Secret.objects.get().reveal() == VALUE


def test_a_secret_is_checked_before_anything_is_written(bugs: FeedbackType) -> None:
    def refused(secret: Secret, value: str) -> list[str]:
        with pytest.raises(ValidationError) as caught:
            save_secret(secret, value, None)
        return list(caught.value.message_dict)

    community = bugs.project.community
    for value in ("", "short", "with\0nul", "x" * 20_001):
        assert refused(Secret(community=community, name="token"), value) == ["value"]
    other = Project.objects.create(community=community, name="Other")
    theirs = Secret(community=factories.feedback_type().project.community, name="((x))")
    theirs.project = other
    assert refused(theirs, VALUE) == ["name", "project"]
    assert nothing_was_written()
    kept = factories.secret(bugs, "token", hosts="a.example")
    kept.hosts = "a.example\nb.example"
    assert refused(kept, "") == ["value"]
    save_secret(kept, VALUE, None)
    assert Secret.objects.get().hosts == "a.example\nb.example"


def test_saving_what_is_there_already_writes_no_entry(bugs: FeedbackType) -> None:
    macro, step = Macro(feedback_type=bugs, name="Post"), AddComment(text="Fine")
    save_macro(macro, [step], None)
    save_macro(macro, macro.concrete_steps(), None)
    secret = factories.secret(bugs, "token")
    save_secret(secret, "", None)
    assert entry(macro).action == "created" and macro.versions.count() == 1
    assert not AuditEntry.objects.filter(object_type="macros.secret").exists()


def test_a_macro_has_so_many_steps_and_no_more(bugs: FeedbackType) -> None:
    def saved(count: int) -> Macro:
        macro = Macro(feedback_type=bugs, name=f"{count} steps")
        steps = [AddComment(text="x", position=number) for number in range(count)]
        save_macro(macro, steps, None)
        return macro

    assert saved(config.macros.MAX_STEPS).steps.count() == 50
    with pytest.raises(ValidationError, match="at most 50 steps, and these are 51"):
        saved(config.macros.MAX_STEPS + 1)
    assert not Macro.objects.filter(name="51 steps").exists()


def test_a_web_request_has_so_many_secrets_and_no_more(bugs: FeedbackType) -> None:
    for number in range(31):
        factories.secret(bugs, f"s{number}")
    tags = [f"((Secret: s{number}))" for number in range(31)]
    factories.macro(bugs, "https://a.example/", body=f'"{"".join(tags[:30])}"')
    with pytest.raises(ValidationError, match="at most 30 secrets; here are 31"):
        factories.macro(
            bugs,
            f"https://a.example/{tags[0]}",
            body=f'"{"".join(tags[:30])}"',
            auth_kind="bearer",
            auth_secret="S30",
        )
