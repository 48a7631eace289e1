"""What people and programs get while the database takes nothing.

Calls of other systems: tests/door.
"""

from __future__ import annotations

import psycopg
import pytest
from django.db import InternalError
from django.test import Client, RequestFactory
from rest_framework.test import APIClient

from centerhook import trouble
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
    assert response.status_code == 503 and response["Retry-After"] == "30"
    page = response.content.decode()
    assert "Nothing can be saved at the moment" in page and "doctor" in page
    ticket.refresh_from_db()
    assert browser.post(address, {"post": "yes"}).status_code == 302


def test_a_program_gets_problem_details(bugs: FeedbackType) -> None:
    _, token = factories.api_key(bugs.project.community, scope_write=True)
    caller = APIClient(raise_request_exception=False)
    caller.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    body = {"type": bugs.pk, "title": "It breaks"}
    with full_disk_of_database():
        response = caller.post("/api/v1/feedback/", body, format="json")
    assert response.status_code == 503 and response["Retry-After"] == "30"
    details = response.json()
    assert details["code"] == "database_away"
    assert "nothing of this was saved" in details["detail"]


def test_a_standby_is_known_by_its_state() -> None:
    standby = InternalError("cannot execute INSERT in a read-only transaction")
    standby.__cause__ = psycopg.errors.ReadOnlySqlTransaction()
    assert trouble.is_of_database(standby)
    assert not trouble.is_of_database(InternalError("an index is corrupted"))
    assert not trouble.is_of_database(ValueError("a fault of ours"))
    page = trouble.response(RequestFactory().get("/admin/"))
    assert page.status_code == 503
