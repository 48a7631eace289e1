"""The secrets' admin page: values go in and never come out."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback.models import FeedbackType
from logs.models import Destination
from macros.models import Secret
from tests import factories

LIST = reverse("admin:macros_secret_changelist")
ADD = reverse("admin:macros_secret_add")
VALUE = "hunter2-hunter2"


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


def change(secret: Secret) -> str:
    return reverse("admin:macros_secret_change", args=[secret.pk])


def form(bugs: FeedbackType, **values: str) -> dict[str, str]:
    community = str(bugs.project.community_id)
    return {"community": community, "name": "Token", "value": VALUE, **values}


def errors(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200, "nothing was refused"
    assert VALUE not in response.content.decode()
    return dict(response.context["adminform"].form.errors)


def test_a_secret_is_added_and_shown_nowhere(page: Client, bugs: FeedbackType) -> None:
    response = page.post(ADD, form(bugs, hosts="Hooks.Slack.com"), follow=True)
    secret = Secret.objects.get()
    assert (secret.key, secret.hosts) == ("token", "hooks.slack.com")
    assert secret.reveal() == VALUE
    history = reverse("admin:macros_secret_history", args=[secret.pk])
    for shown in (
        response,
        page.get(change(secret)),
        page.get(LIST),
        page.get(history, follow=True),
    ):
        text = shown.content.decode()
        assert shown.status_code == 200
        assert VALUE not in text and secret.encrypted_value not in text


def test_an_empty_value_keeps_the_old_one(page: Client, bugs: FeedbackType) -> None:
    secret = factories.secret(bugs, "token")
    page.post(change(secret), {"value": "", "description": "for Slack"})
    secret.refresh_from_db()
    assert (secret.reveal(), secret.description) == (VALUE, "for Slack")


def test_a_new_value_takes_the_old_ones_place(page: Client, bugs: FeedbackType) -> None:
    secret = factories.secret(bugs, "token")
    page.post(change(secret), {"value": " another value\n"})
    secret.refresh_from_db()
    assert secret.reveal() == "another value"


def test_a_value_is_needed_at_first_and_not_too_short(
    page: Client, bugs: FeedbackType
) -> None:
    assert errors(page.post(ADD, form(bugs, value=""))) == {
        "value": ["This field is required."]
    }
    [problem] = errors(page.post(ADD, form(bugs, value="12345")))["value"]
    assert "at least 6 characters" in problem
    assert not Secret.objects.exists()


def test_a_value_is_not_put_back_beside_another_fields_error(
    page: Client, bugs: FeedbackType
) -> None:
    problems = errors(page.post(ADD, form(bugs, hosts="https://a.example/")))
    assert list(problems) == ["hosts"] and "is not a host" in problems["hosts"][0]
    factories.secret(bugs, "TOKEN")
    problems = errors(page.post(ADD, form(bugs)))
    assert problems == {"name": ["The community has a secret of this name."]}


@pytest.mark.parametrize(
    ("before", "after", "needs_value"),
    [
        ("", "a.example", False),
        ("a.example\nb.example", "b.example", False),
        ("a.example", "a.example\nb.example", True),
        ("a.example", "", True),
    ],
)
def test_only_who_knows_the_value_can_let_it_go_to_more_hosts(
    page: Client, bugs: FeedbackType, before: str, after: str, needs_value: bool
) -> None:
    secret = factories.secret(bugs, "token", hosts=before)
    response = page.post(change(secret), {"hosts": after, "value": ""})
    if needs_value:
        [problem] = errors(response)["value"]
        assert problem.startswith("Give the value again")
        page.post(change(secret), {"hosts": after, "value": VALUE})
    secret.refresh_from_db()
    assert secret.hosts == after


def test_name_and_owner_stay(page: Client, bugs: FeedbackType) -> None:
    secret = factories.secret(bugs, "token")
    other = factories.feedback_type()
    page.post(change(secret), form(other, name="other"))
    secret.refresh_from_db()
    assert (secret.name, secret.community) == ("token", bugs.project.community)


def test_who_needs_it_is_shown_before_it_is_changed_or_deleted(
    page: Client, bugs: FeedbackType
) -> None:
    secret = factories.secret(bugs, "token")
    text = page.get(change(secret)).content.decode()
    assert "Nothing uses it yet." in text
    macro = factories.macro(bugs, "https://a.example/((Secret: token))", name="To Jira")
    Destination.objects.create(
        community=secret.community,
        origin="https://mtls.example:443",
        client_key_secret="Token",
    )

    text = page.get(change(secret)).content.decode()
    delete = reverse("admin:macros_secret_delete", args=[secret.pk])
    pages = [page.get(delete)]
    pages.append(
        page.post(
            LIST, {"action": "delete_selected", "_selected_action": [str(secret.pk)]}
        )
    )

    assert reverse("admin:macros_macro_change", args=[macro.pk]) in text
    assert "Macro To Jira (" in text and "Destination https://mtls.example:443" in text
    for shown in pages:
        text = shown.content.decode()
        assert "Macro To Jira (" in text and "uses it and will fail" in text
        assert "Destination https://mtls.example:443 uses it and will fail" in text
    assert Secret.objects.exists()
    page.post(delete, {"post": "yes"})
    assert not Secret.objects.exists()


def test_who_may_not_see_it_gets_nothing(client: Client, bugs: FeedbackType) -> None:
    from django.contrib.auth.models import Permission, User

    nora = User.objects.create_user("nora", is_staff=True)
    nora.user_permissions.set(Permission.objects.all())
    client.force_login(nora)
    secret = factories.secret(bugs, "token of others")
    assert "token of others" not in client.get(LIST).content.decode()
    assert client.get(change(secret)).status_code == 404
