"""Web requests stay locked until their community has a valid API key."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from centerhook.receiver import Receiver
from feedback.access.roles import Role
from feedback.models import ApiKey, Feedback, FeedbackType
from logs.models import Run
from macros import deliveries
from macros.models import Macro
from macros.runs import RunRefused
from macros.steps.kinds.web_request import WebRequest
from tests import factories

ADD = reverse("admin:macros_macro_add")
LOCKED = "Web requests are locked."
BUTTON = "Create an API key"


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    made = factories.feedback_type()
    factories.ticket(made)
    return made


@pytest.fixture
def macro(bugs: FeedbackType) -> Macro:
    made = factories.macro(bugs, "https://a.example/hook", name="Post to Slack")
    ApiKey.objects.update(is_enabled=False)
    return made


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def form(macro: Macro, **values: Any) -> dict[str, Any]:
    return {
        "feedback_type": macro.feedback_type_id,
        "name": "Renamed",
        "is_active": "on",
        **values,
    }


def with_request(step: WebRequest | None = None) -> dict[str, Any]:
    return {
        "steps-TOTAL_FORMS": "1",
        "steps-INITIAL_FORMS": "1" if step else "0",
        "steps-0-step_ptr": step.pk if step else "",
        "steps-0-position": "0",
        "steps-0-is_active": "on",
        "steps-0-method": "POST",
        "steps-0-url": "https://b.example/",
        "steps-0-body_kind": "json",
    }


def html_of(response: Any) -> str:
    assert response.status_code == 200
    return unescape(response.content.decode())


def page_of(macro: Macro) -> str:
    return reverse("admin:macros_macro_change", args=[macro.pk])


@pytest.mark.parametrize(
    "locking",
    [
        lambda: ApiKey.objects.update(is_enabled=False),
        lambda: ApiKey.objects.update(expires_at=timezone.now()),
        lambda: ApiKey.objects.all().delete(),
    ],
    ids=["off", "expired", "deleted"],
)
def test_no_run_starts_without_a_valid_key(bugs: FeedbackType, locking: Any) -> None:
    macro = factories.macro(bugs, "https://a.example/hook", name="Post to Slack")
    locking()
    factories.feedback_type()  # Its community has a key, which opens nothing here.
    with pytest.raises(RunRefused) as refused:
        factories.run(macro)
    assert str(refused.value) == (
        f"The macro Post to Slack is locked: the community {bugs.project.community} has"
        " no valid API key. A Community Manager can create one."
    )
    assert not Run.objects.exists()
    factories.api_key(bugs.project.community, expires_at=timezone.now() + timedelta(1))
    assert factories.run(macro).total == 1


def test_a_key_of_one_project_unlocks_the_community(macro: Macro) -> None:
    project = macro.feedback_type.project
    factories.api_key(project.community, project=project, scope_read=False)
    assert not macro.is_locked() and factories.run(macro).total == 1


@pytest.mark.django_db(transaction=True)
def test_what_was_started_before_is_still_delivered(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    run = factories.run(factories.macro(bugs, f"{receiver.url}/ok"))
    ApiKey.objects.update(is_enabled=False)
    deliveries.deliver(run.pk)
    run.refresh_from_db()
    assert (run.delivered, len(receiver.ids)) == (1, 1)


def test_a_manager_finds_a_button_in_place_of_the_web_requests(macro: Macro) -> None:
    bugs = macro.feedback_type
    community = bugs.project.community
    mia = signed_in(factories.member(bugs, Role.COMMUNITY_MANAGER))
    page = html_of(mia.get(page_of(macro)))
    assert LOCKED in page and str(community) in page
    assert f'name="community" value="{community.pk}"' in page and BUTTON in page
    assert "steps-0-url" not in page and "https://a.example/hook" not in page

    factories.api_key(community)
    page = html_of(mia.get(page_of(macro)))
    assert LOCKED not in page and "steps-0-url" in page


@pytest.mark.parametrize("role", [Role.PROJECT_MANAGER, Role.SUPPORT, Role.OBSERVER])
def test_others_are_told_whom_to_ask(macro: Macro, role: Role) -> None:
    bugs = macro.feedback_type
    client = signed_in(factories.member(bugs, role))
    page = html_of(client.get(page_of(macro)))
    assert LOCKED in page and "Please ask whoever runs CenterHook" in page
    mia = factories.member(bugs, Role.COMMUNITY_MANAGER, "mia")
    mia.first_name, mia.last_name = "Mia", "Miller"
    mia.save()
    factories.member(bugs, Role.COMMUNITY_MANAGER, "max")
    factories.member(factories.feedback_type(), Role.COMMUNITY_MANAGER, "stranger")
    former = factories.member(bugs, Role.COMMUNITY_MANAGER, "former")
    User.objects.filter(pk=former.pk).update(is_active=False)
    page = html_of(client.get(page_of(macro)))
    assert "ask a Community Manager to create one: max, Mia Miller." in page
    assert BUTTON not in page and "steps-0-url" not in page


def test_the_rest_of_a_locked_macro_can_be_changed(macro: Macro, page: Client) -> None:
    assert page.post(page_of(macro), form(macro)).status_code == 302
    macro.refresh_from_db()
    assert macro.name == "Renamed"
    assert WebRequest.objects.get(macro=macro).url == "https://a.example/hook"


def test_a_web_request_that_was_being_edited_is_refused_aloud(
    macro: Macro, page: Client
) -> None:
    data = form(macro, **with_request(WebRequest.objects.get()))
    shown = html_of(page.post(page_of(macro), data))
    assert "Web requests are locked: the community" in shown
    assert WebRequest.objects.get().url == "https://a.example/hook"
    shown = html_of(page.post(ADD, form(macro, **with_request())))
    assert "Web requests are locked: the community" in shown
    assert Macro.objects.get().name == "Post to Slack"


def test_the_page_of_a_locked_macro_keeps_tags_and_checks(
    macro: Macro, page: Client
) -> None:
    factories.steps(macro, {"kind": "add_comment", "text": "Hi ((Title))"})
    shown = html_of(page.get(page_of(macro)))
    assert LOCKED in shown and 'id="macro-editor"' in shown
    assert 'data-insert="((Title))"' in shown and "steps-0-url" not in shown
    editor = reverse("admin:macros_macro_editor", args=[macro.pk])
    data = form(macro, do="check", step="addcomment-0")
    data |= {"addcomment-TOTAL_FORMS": "1", "addcomment-0-position": "1"}
    data |= {"addcomment-0-text": "((Titel))"}
    problems = page.post(editor, data).json()["problems"]
    assert "Did you mean ((Title))?" in problems["text"][0]["message"]
    observer = signed_in(factories.member(macro.feedback_type, Role.OBSERVER))
    assert 'id="macro-editor"' not in html_of(observer.get(page_of(macro)))


def test_a_new_macro_is_locked_where_all_communities_are(macro: Macro) -> None:
    bugs = macro.feedback_type
    client = signed_in(factories.member(bugs, Role.PROJECT_MANAGER, "pia"))
    assert LOCKED in html_of(client.get(ADD))
    assert client.post(ADD, form(macro)).status_code == 302
    factories.member(factories.feedback_type(), Role.PROJECT_MANAGER, "pia")
    client = signed_in(User.objects.get(username="pia"))
    assert LOCKED not in html_of(client.get(ADD))


def test_perform_action_names_the_lock_and_sends_nothing(
    macro: Macro, page: Client
) -> None:
    url = reverse("admin:feedback_feedback_changelist")
    url = f"{url}?type={macro.feedback_type_id}"
    ticket = Feedback.objects.get()
    data = {"action": f"macro_{macro.pk}", "index": "0", "_selected_action": ticket.pk}
    shown = html_of(page.post(url, data))
    assert LOCKED in shown and BUTTON in shown
    assert 'type="submit" class="default"' not in shown
    again = html_of(page.post(url, {**data, "confirmed_count": "1"}, follow=True))
    assert "The macro Post to Slack is locked" in again
    assert not Run.objects.exists()


def test_a_macro_without_a_web_request_is_not_locked(bugs: FeedbackType) -> None:
    ApiKey.objects.all().delete()
    assert not factories.macro(bugs).is_locked()
