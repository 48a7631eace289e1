"""Listeners on their pages: the form in sections, the address, what is offered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback.access.roles import Role
from feedback.models import FeedbackType
from logs.models import Action, AuditEntry
from macros.listeners import figures
from macros.models import InboundRefusal, Listener, Scheme, Secret
from tests import factories

LIST = reverse("admin:macros_listener_changelist")
ADD = reverse("admin:macros_listener_add")


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    bugs = factories.feedback_type()
    factories.api_key(bugs.project.community)
    factories.secret(bugs, "jira_secret", "s3cret-word")
    return bugs


def url(page: str, row: Listener) -> str:
    return reverse(f"admin:macros_listener_{page}", args=[row.pk])


def about(of: Any, kind: str = "feedback") -> str:
    return f"{ADD}?about={of._meta.model_name}-{of.pk}-{kind}"


def rows(prefix: str, *given: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    data: dict[str, Any] = {
        f"{prefix}-TOTAL_FORMS": len(given),
        f"{prefix}-INITIAL_FORMS": initial,
    }
    for number, row in enumerate(given):
        data |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return data


def form(
    *actions: dict[str, Any], checks: list[dict[str, Any]], **values: Any
) -> dict[str, Any]:
    return {
        "name": "Jira",
        "is_active": "on",
        "method": "POST",
        "payload_format": "json",
        "repeat_seconds": "0",
        "response_status": "200",
        "response_type": "application/json",
        "response_body": '{"received": true}',
        **rows("checks", *checks),
        **rows("actions", *actions),
        **values,
    }


def by_secret(bugs: FeedbackType, scheme: str = Scheme.GITHUB) -> dict[str, Any]:
    secret = Secret.objects.get(name="jira_secret")
    return {"scheme": scheme, "secret": secret.pk}


CLOSE = {"position": "1", "kind": "status", "value": "Closed"}
BY_KEY = {"record_by": "external", "record_external": "jira_key"}
BY_KEY["record_at"] = "$.issue.key"


def faults(response: Any) -> Any:
    return response.context["errors"] if response.context else None


def made(page: Client, bugs: FeedbackType) -> Listener:
    data = form(CLOSE, checks=[by_secret(bugs)], **BY_KEY)
    response: Any = page.post(about(bugs), data)
    assert response.status_code == 302, faults(response)
    return Listener.objects.get()


def test_a_listener_is_made_without_scripts_and_gets_an_address(
    page: Client, bugs: FeedbackType
) -> None:
    assert b"Tickets of Phone Beta: Bug Report" in page.get(ADD).content
    assert page.get(about(bugs)).status_code == 200
    row = made(page, bugs)
    assert (row.owner, row.community) == (bugs, bugs.project.community)
    [check], [action] = row.checks.all(), row.actions.all()
    assert (check.scheme, check.secret.name) == ("github", "jira_secret")
    assert (action.kind, action.value) == ("status", "Closed")
    shown = page.get(url("change", row)).content.decode()
    assert f"/hooks/{row.key}/" in shown
    assert "s3cret-word" not in shown
    entries = AuditEntry.objects.filter(object_type="macros.listener")
    assert [each.action for each in entries] == [Action.CREATED]


def test_a_row_keeps_only_what_its_choice_shows(
    page: Client, bugs: FeedbackType
) -> None:
    check = {**by_secret(bugs), "header": "X-Sign", "algorithm": "sha1"}
    action = {"position": "1", "kind": "comment", "value": "Hi", "name": "severity"}
    data = form(action, checks=[check], **BY_KEY)
    response: Any = page.post(about(bugs), data)
    assert response.status_code == 302, faults(response)
    row = Listener.objects.get()
    [kept], [did] = row.checks.all(), row.actions.all()
    assert (kept.header, kept.algorithm, did.name) == ("", "", "")


@pytest.mark.parametrize(
    ("values", "at_fault"),
    [
        ({"record_at": "$.issue["}, "record_at"),
        ({"events_at": "header: X-Y"}, "events_at"),
        ({"allowed_ips": "10.0.0.0/99"}, "allowed_ips"),
        ({"name": "x" * 101}, "name"),
        ({"name": ""}, "name"),
        ({"response_status": "302"}, "response_status"),
        ({"response_body": "((nothing"}, "response_body"),
        ({"names": "closed"}, "name_at"),
        ({"record_external": "a\0b"}, "record_external"),
        ({"method": "GET"}, "method"),
        ({"repeat_seconds": "-1"}, "repeat_seconds"),
        ({"filter": "x' OR 1=1"}, "filter"),
    ],
)
def test_what_is_wrong_stands_beside_the_field(
    page: Client, bugs: FeedbackType, values: dict[str, str], at_fault: str
) -> None:
    data = {**form(CLOSE, checks=[by_secret(bugs)], **BY_KEY), **values}
    response: Any = page.post(about(bugs), data)
    assert response.status_code == 200
    assert list(response.context["adminform"].form.errors) == [at_fault]
    assert not Listener.objects.exists()


@pytest.mark.parametrize(
    ("check", "action", "wrong"),
    [
        ({"scheme": "github"}, CLOSE, "checks-0-secret"),
        ({"scheme": "hmac"}, CLOSE, "checks-0-header"),
        ({"scheme": "nothing"}, CLOSE, "checks-0-scheme"),
        ({"scheme": "api_key"}, {"kind": "status", "value": "Gone"}, "actions-0-value"),
        ({"scheme": "api_key"}, {"kind": "run"}, "actions-0-macro"),
        ({"scheme": "api_key"}, {"kind": "run", "macro": "99999"}, "actions-0-macro"),
        ({"scheme": "api_key"}, {"kind": "field", "name": "no"}, "actions-0-name"),
        ({"scheme": "api_key"}, {**CLOSE, "value_map": "Done"}, "actions-0-value_map"),
    ],
)
def test_what_is_wrong_with_a_part_stands_beside_its_field(
    page: Client,
    bugs: FeedbackType,
    check: dict[str, Any],
    action: dict[str, Any],
    wrong: str,
) -> None:
    data = form({"position": "1", **action}, checks=[check], **BY_KEY)
    response: Any = page.post(about(bugs), data)
    prefix, number, name = wrong.split("-")
    formsets = response.context["inline_admin_formsets"]
    formset = next(each.formset for each in formsets if each.formset.prefix == prefix)
    assert name in formset.forms[int(number)].errors
    assert not Listener.objects.exists()


def test_a_listener_that_lets_nobody_in_or_does_nothing_is_refused(
    page: Client, bugs: FeedbackType
) -> None:
    response: Any = page.post(about(bugs), form(checks=[], **BY_KEY))
    html = response.content.decode()
    assert "Say who may call" in html
    assert "Add at least one action" in html


def test_what_belongs_to_others_is_neither_offered_nor_accepted(
    page: Client, bugs: FeedbackType
) -> None:
    theirs = factories.feedback_type("Idea", "IDEA")
    secret = factories.secret(theirs, "their_secret")
    macro = factories.macro(theirs, "https://a.example/", name="Their macro")
    chosen = factories.saved_filter(theirs, name="Their filter")
    key, _ = factories.api_key(theirs.project.community, scope_listener=True)
    shown = page.get(about(bugs)).content.decode()
    for name in ("their_secret", "Their macro", "Their filter", key.name):
        assert name not in shown
    cases: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
        ({"scheme": "github", "secret": secret.pk}, CLOSE, {}),
        ({"scheme": "api_key", "api_key": key.pk}, CLOSE, {}),
        (by_secret(bugs), {"position": 1, "kind": "run", "macro": macro.pk}, {}),
        (by_secret(bugs), CLOSE, {"filter": chosen.pk}),
    ]
    for check, action, values in cases:
        data = form(action, checks=[check], **BY_KEY, **values)
        assert page.post(about(bugs), data).status_code == 200
    assert not Listener.objects.exists()


def test_secrets_of_the_community_are_not_offered_in_a_project(
    page: Client, bugs: FeedbackType
) -> None:
    row = made(page, bugs)
    other = factories.secret(bugs, "other_secret")
    factories.secret(bugs, "own_secret", own=True)
    client = Client()
    role = Role.PROJECT_MANAGER
    client.force_login(factories.member(bugs, role, in_project=True))
    html = client.get(url("change", row)).content.decode()
    assert "own_secret" in html
    assert "jira_secret" in html, "the one that it has stays"
    assert "other_secret" not in html
    check = {"scheme": "github", "secret": other.pk}
    assert client.post(about(bugs), form(CLOSE, checks=[check])).status_code == 200


def test_only_the_owners_of_ones_role_are_offered(bugs: FeedbackType) -> None:
    theirs = factories.feedback_type("Idea", "IDEA")
    factories.api_key(theirs.project.community)
    client = Client()
    client.force_login(factories.member(bugs, Role.PROJECT_MANAGER))
    assert str(theirs) not in client.get(ADD).content.decode()
    data = form(CLOSE, checks=[{"scheme": "api_key"}], **BY_KEY)
    assert client.post(about(theirs), data).status_code == 200
    assert not Listener.objects.exists()
    assert client.post(about(bugs), data).status_code == 302


def test_a_community_without_a_key_has_its_listeners_locked(
    page: Client, bugs: FeedbackType
) -> None:
    row = made(page, bugs)
    bugs.project.community.api_keys.update(is_enabled=False)
    assert "Listeners are locked" in page.get(about(bugs)).content.decode()
    assert "Listeners are locked" in page.get(url("change", row)).content.decode()
    count = Listener.objects.count()
    page.post(about(bugs), form(CLOSE, checks=[by_secret(bugs)], name="Other"))
    assert Listener.objects.count() == count
    page.post(url("toggle", row))
    page.post(url("toggle", row))
    row.refresh_from_db()
    assert not row.is_active, "it can be switched off, and not on again"


def test_it_is_switched_off_and_on(page: Client, bugs: FeedbackType) -> None:
    row = made(page, bugs)
    page.post(url("toggle", row))
    row.refresh_from_db()
    assert not row.is_active
    page.get(url("toggle", row))
    page.post(url("toggle", row))
    row.refresh_from_db()
    assert row.is_active
    entries = AuditEntry.objects.filter(object_type="macros.listener").order_by("pk")
    actions = [each.action for each in entries]
    assert actions == [Action.CREATED, Action.SWITCHED_OFF, Action.SWITCHED_ON]


def test_its_address_is_renewed_once_and_the_old_one_ends_later(
    page: Client, bugs: FeedbackType
) -> None:
    row = made(page, bugs)
    old, renew = row.key, url("renew", row)
    issued = page.get(renew).context["form"].initial["issued"]
    data = {"issued": issued, "hours": "24"}
    assert page.post(renew, data).status_code == 302
    assert row.key != old
    ends_at = row.keys.get(key=old).ends_at
    assert ends_at is not None and ends_at > timezone.now() + timedelta(hours=23)
    newest = row.key
    page.post(renew, data)
    assert row.key == newest, "a reload makes no further one"
    entry = AuditEntry.objects.filter(action=Action.CHANGED).get()
    assert "1 day" in entry.detail and newest not in entry.detail
    assert page.post(renew, {"issued": "x", "hours": "-5"}).status_code == 200


def test_who_may_only_look_sees_no_address_and_no_way_in(
    page: Client, bugs: FeedbackType
) -> None:
    row = made(page, bugs)
    client = Client()
    client.force_login(factories.member(bugs, Role.OBSERVER))
    for address in (url("change", row), LIST):
        html = client.get(address).content.decode()
        assert row.name in html
        assert row.key not in html and row.key[:8] not in html
        assert "jira_secret" not in html
    for name in ("toggle", "renew", "try"):
        assert client.post(url(name, row)).status_code == 403


def test_the_list_says_what_became_of_calls_in_a_few_queries(
    page: Client, bugs: FeedbackType, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        row = factories.listener(bugs, name=f"Listener {number}")
        for outcome in ("acted", "acted", "failed"):
            factories.inbound_event(factories.inbound_call(row), outcome)
    with django_assert_max_num_queries(16):
        html = page.get(LIST).content.decode()
    assert html.count("2 acted") == 12
    assert html.count('outcome-bad">1 failed') == 12


def test_the_overview_names_listeners_in_trouble(
    page: Client, bugs: FeedbackType
) -> None:
    fine, bad = (factories.listener(bugs, name=name) for name in ("Fine", "Ailing"))
    factories.inbound_event(factories.inbound_call(fine), "acted")
    for _ in range(2):
        factories.inbound_event(factories.inbound_call(bad), "unreadable")
    now = timezone.now()
    InboundRefusal.objects.create(
        listener=bad,
        reason="bad_key",
        hour=now,
        first_at=now,
        last_at=now,
        count=1200,
    )
    html = " ".join(page.get(reverse("admin:index")).content.decode().split())
    assert "Fine</a>" not in html
    assert (
        "Listener Ailing</a>: In the last 24 hours 2 calls could not be read, 1,200"
        " calls were refused (wrong or missing key)."
    ) in html


def test_numbers_that_may_lack_something_say_so(
    page: Client, bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = factories.listener(bugs)
    for _ in range(5):
        factories.inbound_event(factories.inbound_call(row), "acted")
    monkeypatch.setattr(figures, "COUNTED", 3)
    html = page.get(LIST).content.decode()
    assert 'at least <span class="outcome outcome-good">3 acted</span>' in html


def test_testers_are_found_by_email_or_created(
    page: Client, bugs: FeedbackType
) -> None:
    community = bugs.project.community
    theirs = factories.macro(bugs, "https://a.example/", name="Of tickets")
    mine = factories.macro(community, "https://a.example/", name="Of testers")
    address = about(community, "tester")
    shown = page.get(address).content.decode()
    assert "Which tester" in shown
    assert mine.name in shown and theirs.name not in shown
    actions = [
        {"position": 2, "kind": "run", "macro": mine.pk},
        {"position": 1, "kind": "create", "value": "email: ((Payload: $.email))"},
    ]
    by_email = {"record_by": "email", "record_at": "$.email"}
    data = form(*actions, checks=[{"scheme": "api_key"}], **by_email)
    response: Any = page.post(address, data)
    assert response.status_code == 302, faults(response)
    row = Listener.objects.get()
    assert (row.owner, row.subject_kind) == (community, "tester")
    assert [each.kind for each in row.actions.all()] == ["create", "run"]


def test_it_is_changed_part_by_part_and_deleted_with_a_word_on_its_address(
    page: Client, bugs: FeedbackType
) -> None:
    row = made(page, bugs)
    [check], [action] = row.checks.all(), row.actions.all()
    kept = {**CLOSE, "id": action.pk, "value": "New"}
    gone = {**by_secret(bugs), "id": check.pk, "DELETE": "on"}
    data = form(checks=[], **BY_KEY)
    data |= rows("checks", gone, {"scheme": "api_key"}, initial=1)
    data |= rows("actions", kept, {**CLOSE, "position": "0"}, initial=1)
    response: Any = page.post(url("change", row), data)
    assert response.status_code == 302, faults(response)
    assert [each.scheme for each in row.checks.all()] == ["api_key"]
    assert [each.value for each in row.actions.all()] == ["Closed", "New"]
    entry = AuditEntry.objects.filter(action=Action.CHANGED).get()
    assert "s3cret" not in str(entry.changes)
    asked = page.get(url("delete", row)).content.decode()
    assert "refused with 404" in asked
    page.post(url("delete", row), {"post": "yes", "name": row.name})
    assert not Listener.objects.exists()


def test_a_listener_may_be_about_all_tickets_of_a_community(
    page: Client, bugs: FeedbackType
) -> None:
    community = bugs.project.community
    about = f"community-{community.pk}-feedback"
    choices = page.get(reverse("admin:macros_listener_add")).content.decode()
    assert f'<option value="{about}">All tickets of {community.name}' in choices
    row = factories.listener(community, subject_kind="feedback")
    html = page.get(url("change", row)).content.decode()
    assert f"All tickets of {community.name}" in html
