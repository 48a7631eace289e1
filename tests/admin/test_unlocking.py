"""The button beside a lock: one click, a key, and back to what was begun."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from feedback.access.roles import Role
from feedback.models import ApiKey, FeedbackType
from logs.models import AuditEntry, Run
from macros.models import Macro
from tests import factories

UNLOCK = reverse("admin:feedback_apikey_unlock")
TICKETS = reverse("admin:feedback_feedback_changelist")
LOCKED = "Web requests are locked."


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def slack(bugs: FeedbackType) -> Macro:
    factories.ticket(bugs)
    made = factories.macro(bugs, "https://a.example/hook", name="Post to Slack")
    ApiKey.objects.all().delete()
    return made


class Forms(HTMLParser):
    """A form in a form is none: its button would send the one around it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.depth = self.nested = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "form":
            self.depth += 1
            self.nested += self.depth > 1

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag == "form"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(response: Any) -> str:
    assert response.status_code == 200
    return unescape(response.content.decode())


def unlock(client: Client, of: FeedbackType, **more: Any) -> Any:
    community = of.project.community_id
    return client.post(UNLOCK, {"community": community, "next": TICKETS, **more})


def test_the_key_is_made_shown_once_and_opens_nothing_itself(
    bugs: FeedbackType, slack: Macro
) -> None:
    client = signed_in(factories.member(bugs, Role.COMMUNITY_MANAGER, "mia"))
    shown = text(unlock(client, bugs))
    key = ApiKey.objects.get()
    token = re.findall(r'id="token"[^>]*>([^<]+)<', shown)[0]
    assert token.startswith(f"{key.prefix}_")
    assert f'href="{TICKETS}">Continue</a>' in shown
    scopes = [name for name in vars(key) if name.startswith("scope_")]
    assert scopes and not any(getattr(key, name) for name in scopes)
    assert not slack.is_locked()
    entries = AuditEntry.objects.filter(object_type="feedback.apikey")
    assert {each.action for each in entries} == {"created", "revealed"}
    assert {each.actor_name for each in entries} == {"mia"}


def test_a_second_click_makes_no_second_key(bugs: FeedbackType, slack: Macro) -> None:
    client = signed_in(factories.member(bugs, Role.COMMUNITY_MANAGER))
    unlock(client, bugs)
    again = unlock(client, bugs)
    assert again.url == TICKETS and ApiKey.objects.count() == 1
    ApiKey.objects.update(is_enabled=False)
    text(unlock(client, bugs))
    assert sorted(ApiKey.objects.values_list("name", flat=True)) == [
        "Unlocks the community",
        "Unlocks the community 2",
    ]


@pytest.mark.parametrize(
    "address",
    ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "", "\\evil"],
)
def test_it_comes_back_to_pages_of_ours_only(
    bugs: FeedbackType, slack: Macro, address: str
) -> None:
    client = signed_in(factories.member(bugs, Role.COMMUNITY_MANAGER))
    shown = text(unlock(client, bugs, next=address))
    assert f'href="{reverse("admin:feedback_apikey_changelist")}">Continue' in shown
    assert "evil" not in shown


def test_what_was_chosen_goes_on_to_the_confirmation(
    bugs: FeedbackType, slack: Macro
) -> None:
    client = signed_in(factories.member(bugs, Role.COMMUNITY_MANAGER))
    pks = [ticket.pk for ticket in factories.tickets(bugs, 2)]
    url = f"{TICKETS}?type={bugs.pk}"
    data = {"action": f"macro_{slack.pk}", "index": "0", "_selected_action": pks}
    locked = text(client.post(url, data))
    assert LOCKED in locked and "The selection is kept: 2 tickets." in locked

    token_page = text(client.post(UNLOCK, hidden_inputs(locked, UNLOCK)))
    confirmation = text(client.post(url, hidden_inputs(token_page, "fresh-token")))
    assert "<strong>2 tickets</strong> will be sent" in confirmation
    client.post(url, hidden_inputs(confirmation, "perform-action"))
    assert Run.objects.get().total == 2


def hidden_inputs(page: str, mark: str) -> dict[str, Any]:
    form = page.split(f'"{mark}"')[1].split("</form>")[0]
    fields: dict[str, Any] = {}
    for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form):
        fields.setdefault(name, []).append(unescape(value))
    return fields


@pytest.mark.parametrize("role", [Role.PROJECT_MANAGER, Role.SUPPORT, Role.OBSERVER])
def test_who_may_make_no_keys_makes_none(
    bugs: FeedbackType, slack: Macro, role: Role
) -> None:
    client = signed_in(factories.member(bugs, role))
    assert unlock(client, bugs).status_code == 403
    mia = signed_in(factories.member(bugs, Role.COMMUNITY_MANAGER))
    theirs = factories.feedback_type("Idea", "IDEA")
    ApiKey.objects.all().delete()
    assert unlock(mia, theirs).status_code == 404
    for number in ("x", "", "9" * 30):
        assert unlock(mia, bugs, community=number).status_code == 404
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("macros_macro_add", []),
        ("macros_macro_new", []),
        ("macros_macro_new_preset", ["slack-text"]),
        ("macros_listener_from_preset", []),
        ("macros_listener_from_preset_form", ["jira"]),
        ("feedback_externalsource_add", []),
        ("feedback_feedback_changelist", []),
    ],
)
def test_pages_that_need_a_key_say_so_before_anything_is_typed(
    bugs: FeedbackType, slack: Macro, name: str, arguments: list[str]
) -> None:
    client = signed_in(factories.member(bugs, Role.COMMUNITY_MANAGER))
    url = f"{reverse(f'admin:{name}', args=arguments)}?type={bugs.pk}"
    if "changelist" not in name:
        url = url.replace("?type=", "?feedback_type=")
    page = text(client.get(url))
    before, after = page.split('id="content"')[1].split(" locked.</strong>", 1)
    assert "Create an API key" in after
    assert "<textarea" not in before
    assert Forms(page).nested == 0
    factories.api_key(bugs.project.community)
    assert " locked.</strong>" not in text(client.get(url))
