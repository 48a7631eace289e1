"""Those who call the API: programs with a key, people with a session."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from rest_framework.test import APIClient

from feedback.models import FeedbackType
from tests import factories


def issue_key(of: FeedbackType, name: str = "Nightly sync", **values: Any) -> str:
    """The token of a new key of the type's community, which may run macros."""
    values.setdefault("scope_run", True)
    _, token = factories.api_key(of.project.community, name=name, **values)
    return token


def program(token: str, **headers: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}", **headers)
    return client


def person(user: User) -> APIClient:
    """In a browser, which sends the CSRF token along."""
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(user)
    csrf = "c" * 32
    client.cookies["csrftoken"] = csrf
    client.credentials(HTTP_X_CSRFTOKEN=csrf)
    return client


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """The problem details in a response: whole, and of this status and code."""
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["status"], body["code"]) == (
        status,
        status,
        code,
    ), body
    assert body["type"] == "about:blank" and body["title"] and body["detail"]
    return body


def titles(response: Any) -> list[str]:
    assert response.status_code == 200, response.json()
    return sorted(each["title"] for each in response.json()["results"])
