"""A short form becomes a listener that is ready, and nothing else changes."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback.access.roles import Role
from feedback.models import ApiKey, FeedbackType
from logs.models import AuditEntry
from macros.listeners.presets import all_presets
from macros.models import Listener, Secret
from tests import factories

CHOOSER = reverse("admin:macros_listener_from_preset")
VALUE = "signed-and-not-to-be-seen"


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def manager(bugs: FeedbackType) -> Client:
    client = Client()
    client.force_login(factories.member(bugs, Role.PROJECT_MANAGER))
    return client


def form_page(preset: str) -> str:
    return reverse("admin:macros_listener_from_preset_form", args=[preset])


def form(bugs: FeedbackType, **values: str) -> dict[str, str]:
    return {
        "owner": f"feedbacktype-{bugs.pk}-feedback",
        "name": "From Jira",
        "statuses": "Done -> Closed",
        "own_account": "557058:0a1b",
        "secret_name": "jira_webhook",
        "secret_value": VALUE,
        **values,
    }


def errors(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200, "nothing was refused"
    assert "not-to-be-seen" not in response.content.decode()
    assert not Listener.objects.exists()
    return dict(response.context["form"].errors)


def test_every_preset_is_offered_with_a_page(
    manager: Client, bugs: FeedbackType
) -> None:
    about = f"feedbacktype-{bugs.pk}-feedback"
    html = manager.get(CHOOSER, {"about": about}).content.decode()
    for preset in all_presets().values():
        assert f"{form_page(preset.id)}?about={about}" in html
        shown = manager.get(form_page(preset.id)).content.decode()
        assert preset.documentation.replace("&", "&amp;") in shown
        for each in preset.settings:
            assert f'name="{each.key}"' in shown
        assert ('name="secret_value"' in shown) is (preset.secret is not None)
        assert ('name="api_key"' in shown) is preset.takes_key


def test_one_form_makes_a_listener_that_is_on(
    manager: Client, bugs: FeedbackType
) -> None:
    macro = factories.macro(bugs, name="To Slack")
    values = form(bugs, macro=str(macro.pk))
    page = manager.post(form_page("jira"), values, follow=True)
    made = Listener.objects.get()
    assert page.redirect_chain[0][0] == reverse(
        "admin:macros_listener_change", args=[made.pk]
    )
    assert "From Jira is there, and on." in page.content.decode()
    assert made.key in page.content.decode() and VALUE not in page.content.decode()
    assert (made.feedback_type, made.is_active) == (bugs, True)
    assert (made.ignored_at, made.ignored) == ("$.user.accountId", "557058:0a1b")
    check = made.checks.get()
    assert check.scheme == "atlassian" and check.secret is not None
    assert check.secret.reveal() == VALUE and check.secret.project == bugs.project
    status, run = made.actions.all()
    assert (status.value_map, run.macro) == ("Done -> Closed", macro)
    entry = AuditEntry.objects.get(object_type="macros.listener")
    assert entry.action == "created" and VALUE not in str(entry.changes)


def test_the_statuses_are_those_of_the_type(
    manager: Client, bugs: FeedbackType
) -> None:
    bugs.statuses.filter(name="Closed").update(name="Fixed")
    shown = manager.get(form_page("github")).context["form"]
    about = {"about": f"feedbacktype-{bugs.pk}-feedback"}
    assert shown["statuses"].initial == "closed -> Closed\nopen -> Open"
    shown = manager.get(form_page("github"), about).context["form"]
    assert shown["statuses"].initial == "closed -> Fixed\nopen -> New"


CASES: list[tuple[dict[str, str], str, str]] = [
    ({"owner": ""}, "owner", "Choose"),
    ({"owner": "feedbacktype-999-feedback"}, "owner", "Select a valid choice."),
    ({"owner": "project-1-tester"}, "owner", "Select a valid choice."),
    ({"name": ""}, "name", "This field is required."),
    ({"statuses": ""}, "statuses", "This field is required."),
    ({"statuses": "Done"}, "statuses", "Line 1: write it as Done -> Closed."),
    ({"statuses": "Done -> Gone"}, "statuses", "Gone"),
    ({"secret_value": ""}, "secret_value", "There is no secret 'jira_webhook' for"),
    ({"secret_value": "short"}, "secret_value", "at least 6"),
    ({"secret_name": "a/b"}, "secret_name", "Use letters, digits"),
    ({"macro": "999"}, "macro", "Select a valid choice."),
]


@pytest.mark.parametrize(("values", "field", "problem"), CASES)
def test_a_mistake_is_shown_where_it_is(
    manager: Client,
    bugs: FeedbackType,
    values: dict[str, str],
    field: str,
    problem: str,
) -> None:
    shown = errors(manager.post(form_page("jira"), form(bugs, **values)))
    assert problem in " ".join(shown[field]), shown
    assert not Secret.objects.exists()


def test_a_secret_that_is_there_is_used_and_never_replaced(
    manager: Client, bugs: FeedbackType
) -> None:
    factories.secret(bugs, "jira webhook", "the-older-value")
    taken = errors(manager.post(form_page("jira"), form(bugs)))
    assert "There is a secret 'jira_webhook' already." in taken["secret_name"][0]
    manager.post(form_page("jira"), form(bugs, secret_value=""))
    secret = Listener.objects.get().checks.get().secret
    assert secret is not None and secret.reveal() == "the-older-value"


def test_a_secret_that_one_may_not_see_is_as_if_it_were_not_there(
    bugs: FeedbackType,
) -> None:
    factories.secret(bugs, "jira webhook", "of-the-community")
    client = Client()
    role = Role.PROJECT_MANAGER
    client.force_login(factories.member(bugs, role, in_project=True))
    shown = errors(client.post(form_page("jira"), form(bugs, secret_value="")))
    assert "There is no secret 'jira_webhook'" in shown["secret_value"][0]
    client.post(form_page("jira"), form(bugs))
    secret = Listener.objects.get().checks.get().secret
    assert secret is not None and secret.project == bugs.project


def test_a_key_and_a_macro_of_others_are_refused(
    manager: Client, bugs: FeedbackType
) -> None:
    others = factories.feedback_type()
    mine = factories.macro(factories.feedback_type(), name="Theirs")
    values = form(bugs, macro=str(mine.pk))
    assert "macro" in errors(manager.post(form_page("jira"), values))
    key, _ = factories.api_key(others.project.community, scope_listener=True)
    values = form(bugs, api_key=str(key.pk))
    assert "api_key" in errors(manager.post(form_page("any-json"), values))


def test_nothing_is_made_while_the_community_is_locked(
    manager: Client, bugs: FeedbackType
) -> None:
    ApiKey.objects.all().delete()
    shown = errors(manager.post(form_page("jira"), form(bugs)))
    assert "no valid API key" in shown["owner"][0]


def test_one_that_makes_tickets_is_of_a_type(
    manager: Client, bugs: FeedbackType
) -> None:
    def owners(preset: str) -> list[str]:
        choices = manager.get(form_page(preset)).context["form"].fields["owner"].choices
        return [key for group in choices[1:] for key, _ in group[1]]

    of_type, of_project = (
        f"feedbacktype-{bugs.pk}-feedback",
        f"project-{bugs.project_id}",
    )
    assert owners("slack") == [of_type]
    of_community = f"community-{bugs.project.community_id}-feedback"
    assert set(owners("jira")) == {of_type, f"{of_project}-feedback", of_community}
    assert owners("stripe")[-1].endswith("-tester")


@pytest.mark.parametrize("role", [Role.OBSERVER, Role.SUPPORT])
def test_whoever_may_add_none_sees_none_of_it(bugs: FeedbackType, role: str) -> None:
    client = Client()
    client.force_login(factories.member(bugs, role))
    for page in (CHOOSER, form_page("jira")):
        assert client.get(page).status_code == 403
    assert client.post(form_page("jira"), form(bugs)).status_code == 403
    assert client.get(form_page("nothing")).status_code in (403, 404)
