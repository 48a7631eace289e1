"""Test send from the macro's page, without JavaScript."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from centerhook.receiver import Receiver
from feedback.access.roles import Role
from feedback.models import FeedbackType
from logs.models import Delivery, Run
from macros import deliveries
from macros.models import Macro
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def macro(bugs: FeedbackType, receiver: Receiver) -> Macro:
    factories.ticket(bugs, title="Older")
    factories.ticket(bugs, title="Newest")
    return factories.macro(bugs, f"{receiver.url}/ok")


@pytest.fixture
def page(bugs: FeedbackType, client: Client) -> Client:
    client.force_login(factories.member(bugs, Role.PROJECT_MANAGER, "paul"))
    return client


def form_of(macro: Macro, **changes: object) -> dict[str, object]:
    step = macro.steps.get()
    return {"step": step.pk, "subject": "BUG-1", "to": "real", **changes}


def test_the_newest_ticket_is_offered(page: Client, macro: Macro) -> None:
    html = page.get(reverse("admin:macros_macro_test", args=[macro.pk])).content
    assert b'value="BUG-2"' in html
    html = page.get(reverse("admin:macros_macro_change", args=[macro.pk])).content
    assert reverse("admin:macros_macro_test", args=[macro.pk]) in html.decode()


def test_it_leads_to_a_page_that_shows_what_came_of_it(
    page: Client, macro: Macro, receiver: Receiver
) -> None:
    url = reverse("admin:macros_macro_test", args=[macro.pk])
    response = page.post(url, form_of(macro, subject="bug-1"))
    delivery = Delivery.objects.get()
    shown = reverse("admin:logs_delivery_change", args=[delivery.pk])
    assert (response.status_code, response["Location"]) == (302, shown)
    progress = reverse("admin:logs_delivery_progress", args=[delivery.pk])
    waiting = page.get(progress).json()
    assert (waiting["state"], waiting["settled"]) == ("pending", False)
    assert "It is in line to be sent." in waiting["html"]

    deliveries.work(delivery.run_id)

    done = page.get(progress).json()
    assert (done["state"], done["settled"]) == ("delivered", True)
    html = page.get(shown).content.decode()
    for message in (
        "A test to the real destination",
        "Older",
        "200: the system accepted",
    ):
        assert message in html
    assert Run.objects.get().actor_name == "paul"


def test_an_echo_says_so(page: Client, macro: Macro, receiver: Receiver) -> None:
    url = reverse("admin:macros_macro_test", args=[macro.pk])
    response = page.post(url, form_of(macro, to="echo"))
    deliveries.work(Run.objects.get().pk)
    html = page.get(response["Location"]).content.decode()
    assert "nothing was sent, the response is the request itself" in html
    assert receiver.requests == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"subject": "BUG-99"}, "There is no ticket &#x27;BUG-99&#x27;"),
        ({"subject": "IDEA-1"}, "There is no ticket &#x27;IDEA-1&#x27;"),
        ({"subject": ""}, "This field is required"),
        ({"subject": "\0"}, "Null characters are not allowed"),
        ({"subject": "x" * 300}, "at most 254 characters"),
        ({"to": "moon"}, "Select a valid choice"),
        ({"step": 0}, "Select a valid choice"),
    ],
)
def test_a_fault_is_named_and_nothing_starts(
    page: Client, macro: Macro, changes: dict[str, object], message: str
) -> None:
    factories.ticket(factories.feedback_type("Ideas", "IDEA"))
    url = reverse("admin:macros_macro_test", args=[macro.pk])
    assert message in page.post(url, form_of(macro, **changes)).content.decode()
    assert not Run.objects.exists()


def test_a_step_of_another_macro_is_refused(
    page: Client, macro: Macro, bugs: FeedbackType
) -> None:
    other = factories.macro(bugs, "https://example.com/").steps.get()
    url = reverse("admin:macros_macro_test", args=[macro.pk])
    page.post(url, form_of(macro, step=other.pk))
    assert not Run.objects.exists()


def test_a_refusal_is_shown(page: Client, macro: Macro, bugs: FeedbackType) -> None:
    bugs.project.community.api_keys.all().delete()
    url = reverse("admin:macros_macro_test", args=[macro.pk])
    assert "no valid API key" in page.post(url, form_of(macro)).content.decode()


def test_support_may_not_test(bugs: FeedbackType, macro: Macro, client: Client) -> None:
    client.force_login(factories.member(bugs, Role.SUPPORT, "sam"))
    url = reverse("admin:macros_macro_test", args=[macro.pk])
    assert client.post(url, form_of(macro)).status_code == 403
    assert not Run.objects.exists()


def test_the_echo_is_the_default_everywhere(page: Client, macro: Macro) -> None:
    shown = page.get(reverse("admin:macros_macro_test", args=[macro.pk]))
    assert shown.context["form"]["to"].initial == "echo"
    editor = page.get(reverse("admin:macros_macro_change", args=[macro.pk]))
    sends = re.findall(r'<option value="(echo|real)"', editor.content.decode())
    assert sends[:1] == ["echo"]
