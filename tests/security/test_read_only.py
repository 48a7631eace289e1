"""While the installation is read-only, what would write is turned away."""

from __future__ import annotations

import pytest
from django.test import Client

from centerhook import installation
from feedback.models import Community, Feedback, FeedbackType, Installation, Mode
from macros.listeners import door
from macros.models import InboundCall
from tests import factories
from tests.api.callers import issue_key, program
from tests.door import signing
from tests.door.calling import signed

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def read_only(bugs: FeedbackType) -> None:
    installation.set_mode(Mode.READ_ONLY, "olivia")


@pytest.fixture
def page(bugs: FeedbackType) -> Client:
    client = Client()
    client.force_login(factories.superuser())
    return client


def test_a_page_can_be_read_and_not_sent(page: Client, read_only: None) -> None:
    url = "/admin/feedback/community/add/"
    assert page.get(url).status_code == 200
    before = Community.objects.count()
    response = page.post(url, {"name": "Another"})
    assert response.status_code == 503 and response["Retry-After"] == "60"
    text = response.content.decode()
    assert "whoever runs it has made it so" in text and "was not saved" in text
    assert "olivia" not in text, "strangers learn no name"
    assert response["Content-Security-Policy"]
    assert Community.objects.count() == before


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_program_gets_problem_details(bugs: FeedbackType, method: str) -> None:
    bug = factories.ticket(bugs)
    caller = program(issue_key(bugs))
    installation.set_mode(Mode.READ_ONLY, "olivia")
    url = f"/api/v1/feedback/{bug.pk}/"
    assert caller.get(url).status_code == 200
    response = getattr(caller, method)(url, {"title": "New"})
    assert response.status_code == 503 and response["Retry-After"] == "60"
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["code"] == "read_only" and body["detail"].endswith(".")
    assert Feedback.objects.get().title == bug.title


def test_a_call_from_outside_is_to_come_again(bugs: FeedbackType) -> None:
    listener = factories.listener(bugs)
    installation.set_mode(Mode.READ_ONLY, "olivia")
    response = Client().post(f"/hooks/{listener.key}/", b"{}", "application/json")
    assert response.status_code == 503 and response["Retry-After"] == "60"
    assert response.json()["code"] == "read_only"
    assert not InboundCall.objects.exists()


def test_people_can_sign_in_and_out(read_only: None) -> None:
    factories.superuser("paula")
    client = Client()
    password = {"username": "paula", "password": "secret-word"}
    assert client.post("/admin/login/", password).status_code == 302
    assert client.get("/admin/").status_code == 200
    assert client.post("/admin/logout/").status_code == 200


def test_a_superuser_ends_it(page: Client, read_only: None) -> None:
    assert page.post("/admin/mode/", {"mode": "normal"}).status_code == 302
    assert Installation.objects.get().mode == Mode.NORMAL
    assert page.post("/admin/feedback/community/add/", {}).status_code == 200


def test_a_paused_installation_takes_what_it_is_given(
    bugs: FeedbackType, page: Client
) -> None:
    factories.secret(bugs, "signing", signing.SECRET)
    listener = factories.listener(bugs, secret="signing")
    door.entrances.clear()
    installation.set_mode(Mode.PAUSED, "olivia")
    assert signed(listener).status_code == 200
    assert InboundCall.objects.get().state == "waiting"
    assert page.post("/admin/feedback/community/add/", {}).status_code == 200
