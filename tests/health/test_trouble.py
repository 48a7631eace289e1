"""What people and programs get while the database takes nothing.

Calls of other systems: tests/door.
"""

from __future__ import annotations

import pytest
from django.test import Client
from rest_framework.test import APIClient

from feedback.models import FeedbackType
from tests import factories
from tests.health.test_bad_input import full_disk_of_database

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


def test_a_person_gets_a_sentence_and_nothing_is_saved(bugs: FeedbackType) -> None:
    browser = Client(raise_request_exception=False)
    browser.force_login(factories.superuser())
    ticket = factories.ticket(bugs)
    address = f"/admin/feedback/feedback/{ticket.pk}/delete/"
    with full_disk_of_database():
        response = browser.post(address, {"post": "yes"})
    assert response.status_code == 503 and response["Retry-After"] == "5"
    page = response.content.decode()
    assert "The database is away for a moment" in page
    ticket.refresh_from_db()
    assert browser.post(address, {"post": "yes"}).status_code == 302


def test_a_program_gets_problem_details(bugs: FeedbackType) -> None:
    _, token = factories.api_key(bugs.project.community, scope_write=True)
    caller = APIClient(raise_request_exception=False)
    caller.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    body = {"type": bugs.pk, "title": "It breaks"}
    with full_disk_of_database():
        response = caller.post("/api/v1/feedback/", body, format="json")
    assert response.status_code == 503 and response["Retry-After"] == "5"
    details = response.json()
    assert details["code"] == "database_away"
    assert "Send the same again" in details["detail"]
