"""Who may write and not read learns the number of a row from a response, no more."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import get_resolver, reverse
from rest_framework.test import APIClient

from feedback.models import FeedbackType
from feedback.rest.viewsets import ScopedViewSet
from logs.models import Delivery, DeliveryState, ErrorClass
from tests import factories
from tests.api.callers import issue_key, program
from tests.api.test_runs import end

# What a scope other than *read* shows too.
SEEN = {"apikey", "member", "secret"}


def changed_by_patch() -> list[tuple[str, Any]]:
    api = next(
        each
        for top in get_resolver().url_patterns
        for each in getattr(top, "url_patterns", [])
        if getattr(each, "namespace", "") == "api"
    )
    views = [
        (pattern.name.removesuffix("-detail"), pattern.callback.cls)
        for top in api.url_patterns
        for pattern in getattr(top, "url_patterns", [])
        if (pattern.name or "").endswith("-detail")
    ]
    return sorted(
        (
            (name, view)
            for name, view in views
            if issubclass(view, ScopedViewSet) and hasattr(view, "partial_update")
        ),
        key=lambda each: each[0],
    )


@pytest.fixture
def writer(bugs: FeedbackType) -> APIClient:
    factories.one_of_everything(bugs)
    scopes = {f"scope_{name}": True for name in ("write", "run", "manage", "secrets")}
    return program(issue_key(bugs, "Writer", scope_read=False, **scopes))


def test_there_are_such_routes() -> None:
    names = {name for name, _ in changed_by_patch()}
    assert {"feedback", "macro", "tester", "listener", "destination"} <= names
    assert len(names) > 12


@pytest.mark.parametrize(("name", "view"), changed_by_patch())
def test_a_change_shows_nothing(writer: APIClient, name: str, view: Any) -> None:
    row = view.queryset.model.objects.order_by("pk").first()
    assert row is not None
    response = writer.patch(reverse(f"api:{name}-detail", args=[row.pk]), {})
    if name in SEEN:
        assert response.status_code in (200, 400)
        return
    assert (response.status_code, response.json()) == (200, {"id": row.pk})
    assert "ETag" not in response


def test_a_resend_shows_nothing_of_what_was_sent(bugs: FeedbackType) -> None:
    runner = program(issue_key(bugs, "Runner", scope_read=False))
    factories.ticket(bugs)
    run = factories.run(factories.macro(bugs, "https://example.com/"))
    delivery = Delivery.objects.get()
    sent = {"method": "POST", "url": "https://example.com/", "request_body": "hidden"}
    end(
        delivery,
        DeliveryState.FAILED,
        status=404,
        error_class=ErrorClass.HTTP,
        **sent,
    )
    body = {"kind": "same", "only": "failed"}
    counted = runner.post(f"/api/v1/runs/{run.pk}/resend/count/", body).json()
    assert counted["count"] == 1 and counted["first"] is None
    again = runner.post(f"/api/v1/deliveries/{delivery.pk}/resend/", {"kind": "same"})
    assert (again.status_code, again.json()) == (200, {"id": delivery.pk})
