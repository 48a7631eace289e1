"""The pages of API keys: shown once, rotated, switched off after a warning."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback.access.keys import KeyRefused, authenticate
from feedback.access.roles import Role
from feedback.models import ApiKey, Community, FeedbackType, KeyOutcome, KeyUse, Project
from logs.models import AuditEntry
from macros.models import Scheme
from tests import factories

LIST = reverse("admin:feedback_apikey_changelist")
ADD = reverse("admin:feedback_apikey_add")
LOG = reverse("admin:feedback_keyuse_changelist")
NEVER = {"expires_at_0": "", "expires_at_1": ""}


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def community(bugs: FeedbackType) -> Community:
    return bugs.project.community


@pytest.fixture
def key(community: Community) -> ApiKey:
    return community.api_keys.get()


@pytest.fixture
def manager(bugs: FeedbackType) -> Client:
    return signed_in(factories.member(bugs, Role.COMMUNITY_MANAGER))


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page_of(key: ApiKey, name: str = "change") -> str:
    return reverse(f"admin:feedback_apikey_{name}", args=[key.pk])


def text(response: Any) -> str:
    assert response.status_code == 200
    return unescape(response.content.decode())


def form(community: Community, **values: Any) -> dict[str, Any]:
    return {"community": community.pk, "name": "BI tool", **NEVER, **values}


def token_on(page: str) -> str:
    [token] = re.findall(r'id="token"[^>]*>(ch_\w+)<', page)
    return str(token)


def errors(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200
    return dict(response.context["adminform"].form.errors)


def test_a_new_key_shows_its_token_once(manager: Client, community: Community) -> None:
    response = manager.post(ADD, form(community, word="bi", scope_data="on"))
    token = token_on(text(response))
    assert "no-store" in response["Cache-Control"]
    key = ApiKey.objects.get(name="BI tool")
    assert token.startswith("ch_bi_") and key.prefix == token.rpartition("_")[0]
    assert authenticate(token, "").key == key
    assert (key.scope_data, key.scope_read) == (True, False)
    audit = reverse("admin:logs_auditentry_changelist")
    for url in (LIST, page_of(key), audit, page_of(key, "rotate")):
        again = text(manager.get(url))
        assert token not in again and key.token_hash not in again
    kept = [each.get_decoded() for each in Session.objects.all()]
    kept += AuditEntry.objects.values_list("changes", "detail", "object_name")
    assert token.rpartition("_")[2] not in str(kept) + str(manager.cookies)


def test_a_reload_makes_no_second_key(manager: Client, community: Community) -> None:
    manager.post(ADD, form(community))
    again = manager.post(ADD, form(community))
    assert errors(again) == {"__all__": ["The community has an API key of this name."]}
    assert ApiKey.objects.filter(name="BI tool").count() == 1


@pytest.mark.parametrize("button", ["_continue", "_addanother", "_save"])
def test_every_button_shows_the_token(
    manager: Client, community: Community, button: str
) -> None:
    assert token_on(text(manager.post(ADD, form(community, **{button: "1"}))))


def test_faults_stand_at_their_fields(manager: Client, community: Community) -> None:
    values = {
        "allowed_ips": "10.0.0.1\n10.0.0.300",
        "notify_emails": "nobody",
        "word": "Größe",
        "expires_at_0": "2020-01-01",
        "expires_at_1": "12:00",
    }
    assert errors(manager.post(ADD, form(community, **values))) == {
        "allowed_ips": [
            "Line 2: '10.0.0.300' is neither an IP address nor a network such as"
            " 10.1.0.0/16."
        ],
        "notify_emails": ["'nobody' is not an e-mail address."],
        "word": ["Only a to z and 0 to 9, please."],
        "expires_at": ["This is in the past. Switch the key off instead."],
    }


def test_editing_leaves_token_and_counters_alone(
    manager: Client, community: Community
) -> None:
    key, token = factories.api_key(community)
    authenticate(token, "10.0.0.7")
    others = Community.objects.create(name="Others")
    data = form(community, name="Renamed", allowed_ips="10.0.0.0/8", word="mine")
    data |= {"community": others.pk, "token_hash": "0" * 64, "use_count": "99"}
    assert manager.post(page_of(key), data).status_code == 302
    key.refresh_from_db()
    assert (key.name, key.allowed_ips) == ("Renamed", "10.0.0.0/8")
    assert (key.community, key.use_count, key.is_enabled) == (community, 1, True)
    assert authenticate(token, "10.0.0.7").key == key


def test_an_expired_key_can_still_be_renamed(
    manager: Client, community: Community
) -> None:
    past = timezone.now().replace(microsecond=0) - timedelta(days=1)
    key, _ = factories.api_key(community, expires_at=past)
    date, time = past.strftime("%Y-%m-%d %H:%M:%S").split()
    data = form(community, name="Old", expires_at_0=date, expires_at_1=time)
    assert manager.post(page_of(key), data).status_code == 302
    key.refresh_from_db()
    assert (key.name, key.expires_at) == ("Old", past)


def test_a_key_is_limited_to_a_project_of_its_community(
    manager: Client, community: Community, bugs: FeedbackType
) -> None:
    theirs = factories.feedback_type().project
    mine = Project.objects.create(community=community, name="Mine too")
    key = community.api_keys.get()
    shown: Any = manager.get(page_of(key))
    offered = shown.context["adminform"].form.fields["project"].queryset
    assert set(offered) == {bugs.project, mine}
    refused = manager.post(page_of(key), form(community, project=theirs.pk))
    assert "project" in errors(refused)
    manager.post(page_of(key), form(community, project=mine.pk))
    key.refresh_from_db()
    assert key.project == mine
    superuser = signed_in(factories.superuser())
    data = form(community, name="Other", project=theirs.pk)
    refused = superuser.post(ADD, data)
    assert errors(refused) == {"project": ["The project is of another community."]}


def test_a_key_that_is_limited_to_a_project_goes_with_it(
    manager: Client, community: Community, bugs: FeedbackType
) -> None:
    """Without its limit it would open more."""
    _, token = factories.api_key(community, project=bugs.project)
    authenticate(token, "")
    url = reverse("admin:feedback_project_delete", args=[bugs.project_id])
    assert "1 API key" in text(manager.get(url))
    manager.post(url, {"name": bugs.project.name})
    with pytest.raises(KeyRefused):
        authenticate(token, "")
    assert ApiKey.objects.count() == 1, "the whole community's stays"


def test_a_new_token_works_beside_the_previous_one(
    manager: Client, community: Community
) -> None:
    key, old = factories.api_key(community)
    shown: Any = manager.get(page_of(key, "rotate"))
    issued = shown.context["form"].initial["issued"]
    response = manager.post(page_of(key, "rotate"), {"hours": "24", "issued": issued})
    assert "no-store" in response["Cache-Control"]
    assert "The previous token works until" in text(response)
    new = token_on(text(response))
    assert authenticate(old, "").key == authenticate(new, "").key == key
    key.refresh_from_db()
    left = key.previous_token_until - timezone.now()  # type: ignore[operator]
    assert timedelta(hours=23) < left <= timedelta(hours=24)
    entry = AuditEntry.objects.get(object_id=str(key.pk))
    assert (entry.action, entry.detail) == (
        "revealed",
        "A new token was shown, once. Overlap: 1 day.",
    )

    again = manager.post(
        page_of(key, "rotate"), {"hours": "0", "issued": issued}, follow=True
    )
    assert "The token was replaced already." in text(again)
    assert authenticate(old, "") and authenticate(new, "")


def test_a_token_can_be_replaced_at_once(manager: Client, community: Community) -> None:
    key, old = factories.api_key(community)
    data = {"hours": "0", "issued": key.token_issued_at.isoformat()}
    page = text(manager.post(page_of(key, "rotate"), data))
    assert "The previous token has stopped working." in page
    with pytest.raises(KeyRefused, match="was replaced"):
        authenticate(old, "")
    assert authenticate(token_on(page), "")


@pytest.mark.parametrize("hours", ["-1", "721", "2", "x", ""])
def test_an_overlap_that_is_not_offered_is_refused(
    manager: Client, key: ApiKey, hours: str
) -> None:
    before = key.token_hash
    data = {"hours": hours, "issued": key.token_issued_at.isoformat()}
    assert "errorlist" in text(manager.post(page_of(key, "rotate"), data))
    key.refresh_from_db()
    assert key.token_hash == before


def test_before_a_key_goes_people_see_who_needs_it(
    manager: Client, community: Community, bugs: FeedbackType, key: ApiKey
) -> None:
    factories.macro(bugs, "https://a.example/", name="Post to Slack")
    factories.macro(bugs, name="Without a request")
    theirs = factories.feedback_type()
    factories.macro(theirs, "https://a.example/", name="Theirs")
    now = timezone.now()
    for days, count in ((0, 3), (1, 2), (60, 4)):
        for _ in range(count):
            at = now - timedelta(days=days)
            KeyUse.objects.note(key, f"10.0.0.{days // 30}", KeyOutcome.ACCEPTED, at)
    KeyUse.objects.note(key, "10.6.6.6", KeyOutcome.INVALID_KEY, now)

    page = text(manager.get(page_of(key, "off")))
    assert re.findall(r"<td>(10\.[\d.]+)</td><td>(\d+)</td><td>(\d)</td>", page) == [
        ("10.0.0.0", "5", "2")
    ]
    assert "Post to Slack" in page and "This is the last valid API key" in page
    assert "Without a request" not in page and "Theirs" not in page

    spare, _ = factories.api_key(community)
    assert "Post to Slack" not in text(manager.get(page_of(key, "off")))
    both = {"action": "delete_selected", "_selected_action": [key.pk, spare.pk]}
    page = text(manager.post(LIST, both))
    assert "10.0.0.0 uses it: 5 calls in the last 30 days" in page
    assert f"Macro Post to Slack ({bugs}) is then locked" in page
    assert "Macro Post to Slack" not in text(manager.get(page_of(key, "delete")))
    assert not ApiKey.objects.filter(is_enabled=False).exists(), (
        "looking changes nothing"
    )


def test_before_a_key_goes_people_see_which_listeners_take_it(
    manager: Client, community: Community, bugs: FeedbackType, key: ApiKey
) -> None:
    key.scope_listener = True
    key.save()
    taker = factories.listener(bugs, name="From Zapier")
    taker.checks.create(scheme=Scheme.API_KEY, api_key=key)
    anyone = factories.listener(bugs, name="From anywhere")
    anyone.checks.create(scheme=Scheme.API_KEY)
    factories.listener(factories.feedback_type(), name="Theirs").checks.create(
        scheme=Scheme.API_KEY
    )
    factories.listener(bugs, name="Signed").checks.create(scheme=Scheme.GITHUB)

    page = text(manager.get(page_of(key, "off")))
    assert re.findall(r">([\w ]+)</a> <span class=\"quiet\">\(([\w :]+)\)", page) == [
        ("From Zapier", str(bugs)),
        ("From anywhere", str(bugs)),
    ]
    both = {"action": "delete_selected", "_selected_action": [key.pk]}
    assert "Cannot delete" in text(manager.post(LIST, both)), "it is needed"
    key.listener_checks.all().delete()
    page = text(manager.post(LIST, both))
    assert f"Listener From anywhere ({bugs}) takes any key with the scope" in page
    key.listener_checks.create(scheme=Scheme.API_KEY, listener=taker)

    factories.api_key(community, scope_listener=True)
    page = text(manager.get(page_of(key, "off")))
    assert "From Zapier" in page and "From anywhere" not in page


def test_a_key_is_switched_off_and_on(manager: Client, community: Community) -> None:
    key, token = factories.api_key(community)
    page = text(manager.post(page_of(key, "off"), follow=True))
    assert "switched off." in page and "Switch on" in page
    with pytest.raises(KeyRefused, match="switched off"):
        authenticate(token, "")
    assert manager.get(page_of(key, "on")).status_code == 302
    key.refresh_from_db()
    assert not key.is_enabled, "a link changes nothing"
    assert "switched on." in text(manager.post(page_of(key, "on"), follow=True))
    assert authenticate(token, "")
    entries = AuditEntry.objects.filter(object_type="feedback.apikey").order_by("pk")
    assert list(entries.values_list("action", flat=True)) == ["off", "on"]


def test_a_used_key_is_deleted_with_its_log(manager: Client, key: ApiKey) -> None:
    KeyUse.objects.note(key, "10.0.0.1", KeyOutcome.ACCEPTED, timezone.now())
    page = text(manager.get(page_of(key, "delete")))
    assert "10.0.0.1 uses it: 1 call in the last 30 days" in page
    assert "Deleted as well: 1 API key use." in page
    assert manager.post(page_of(key, "delete"), {"post": "yes"}).status_code == 302
    assert not ApiKey.objects.exists() and not KeyUse.objects.exists()


def test_the_list_tells_the_states_apart(manager: Client, community: Community) -> None:
    factories.api_key(community, name="Running")
    factories.api_key(community, name="Stopped", is_enabled=False)
    past = timezone.now() - timedelta(days=1)
    factories.api_key(community, name="Over", expires_at=past)
    factories.api_key(community, name="Stopped too", expires_at=past, is_enabled=False)

    def names(state: str) -> set[str]:
        page: Any = manager.get(LIST, {"state": state})
        return {key.name for key in page.context["cl"].result_list}

    assert names("off") == {"Stopped", "Stopped too"}
    assert names("expired") == {"Over"}
    assert "Running" in names("valid") and len(names("valid")) == 2
    page = text(manager.get(LIST))
    assert '<span class="state state-expired">Expired</span>' in page


def test_the_usage_log_is_filtered_and_only_read(
    manager: Client, community: Community, key: ApiKey
) -> None:
    other, _ = factories.api_key(community)
    theirs = factories.feedback_type().project.community.api_keys.get()
    now = timezone.now()
    for of, address in ((key, "10.0.0.1"), (other, "10.0.0.2"), (theirs, "10.0.0.3")):
        KeyUse.objects.note(of, address, KeyOutcome.ACCEPTED, now)
    KeyUse.objects.note(None, "10.0.0.4", KeyOutcome.INVALID_KEY, now)

    def seen(client: Client, **query: Any) -> list[str]:
        return sorted(set(re.findall(r"10\.0\.0\.\d", text(client.get(LOG, query)))))

    assert seen(manager) == ["10.0.0.1", "10.0.0.2"]
    assert seen(manager, api_key=key.pk) == ["10.0.0.1"]
    assert seen(manager, q="0.0.2") == ["10.0.0.2"]
    assert seen(manager, outcome__exact="invalid_key") == []
    assert seen(manager, api_key=theirs.pk) == seen(manager, api_key="x") == []
    assert str(theirs) not in text(manager.get(LOG))
    superuser = signed_in(factories.superuser())
    assert len(seen(superuser)) == 4
    row = KeyUse.objects.filter(key=key).get()
    change = reverse("admin:feedback_keyuse_change", args=[row.pk])
    assert manager.post(change, {"count": "9"}).status_code == 403
    assert manager.get(reverse("admin:feedback_keyuse_add")).status_code == 403


@pytest.mark.parametrize(
    ("role", "elsewhere"),
    [
        (Role.PROJECT_MANAGER, False),
        (Role.SUPPORT, False),
        (Role.OBSERVER, False),
        (Role.COMMUNITY_MANAGER, True),
        (None, False),
    ],
)
def test_nobody_else_reaches_a_key(
    bugs: FeedbackType, key: ApiKey, role: Role | None, elsewhere: bool
) -> None:
    if role:
        of = factories.feedback_type() if elsewhere else bugs
        user = factories.member(of, role)
    else:
        user = User.objects.create_user("nora", is_staff=True)
    client = signed_in(user)
    before = ApiKey.objects.values().get(pk=key.pk)
    data = {"hours": "0", "issued": key.token_issued_at.isoformat(), "post": "yes"}
    for name in ("rotate", "off", "on"):
        statuses = {
            client.get(page_of(key, name)).status_code,
            client.post(page_of(key, name), data).status_code,
        }
        assert statuses <= {403, 404}, name
    for name in ("change", "delete", "history"):
        assert client.get(page_of(key, name)).status_code in (403, 404)
        assert client.post(page_of(key, name), data).status_code in (403, 404)
    response = client.get(LIST)
    assert response.status_code == (200 if elsewhere else 403)
    assert key.prefix not in response.content.decode()
    assert ApiKey.objects.values().get(pk=key.pk) == before
    assert client.post(ADD, form(key.community)).status_code in (200, 403)
    assert not ApiKey.objects.filter(name="BI tool").exists()
