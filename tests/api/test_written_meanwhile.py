"""What a worker writes between a PATCH's reading and its writing is not put back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import BooleanField, CharField, DateTimeField, Model, TextField
from django.utils import timezone
from rest_framework.test import APIClient

from feedback.models import ExternalSource, FeedbackType, SavedInPart
from logs.models import BreakerState, Destination
from tests import factories
from tests.api.callers import issue_key, program

Make = Callable[[FeedbackType], Model]


@contextmanager
def written_after_reading(row: Model, **values: Any) -> Iterator[None]:
    """Somebody else's transaction ends just after the row was read."""
    table = f'FROM "{row._meta.db_table}"'
    due = [values]

    def look(execute: Any, sql: str, *rest: Any) -> Any:
        result = execute(sql, *rest)
        if due and sql.startswith("SELECT") and table in sql and "WHERE" in sql:
            type(row)._base_manager.filter(pk=row.pk).update(**due.pop())
        return result

    with connection.execute_wrapper(look):
        yield
    assert not due


def destination(bugs: FeedbackType) -> Destination:
    community = bugs.project.community
    return Destination.objects.create(community=community, origin="https://a.example")


def source(bugs: FeedbackType) -> ExternalSource:
    return ExternalSource.objects.create(feedback_type=bugs, name="Forms")


SOON = timezone.now().replace(microsecond=0) + timedelta(hours=1)
CASES: list[tuple[str, Make, dict[str, Any], dict[str, Any]]] = [
    (
        "testers",
        factories.tester,
        {"city": "Ulm"},
        {"external_data": {"jira_key": "A-1"}, "score": 15, "company": "Other"},
    ),
    (
        "feedback",
        factories.ticket,
        {"title": "Mine"},
        {"external_data": {"jira_key": "A-1"}, "visibility": "private"},
    ),
    (
        "destinations",
        destination,
        {"rate": 5},
        {"held_until": SOON, "breaker": BreakerState.OPEN, "is_paused": True},
    ),
    ("sources", source, {"name": "Mine"}, {"key": "k" * 40, "is_active": False}),
    (
        "macros",
        lambda bugs: factories.macro(bugs, "https://a.example/"),
        {"name": "Mine"},
        {"paused_reason": "Five failures", "once_per_subject": True},
    ),
    (
        "secrets",
        lambda bugs: factories.secret(bugs, "Slack"),
        {"description": "Mine"},
        {"encrypted_value": "other"},
    ),
]


@pytest.mark.parametrize(
    ("path", "make", "change", "others"), CASES, ids=[each[0] for each in CASES]
)
def test_a_patch_puts_back_nothing(
    bugs: FeedbackType,
    path: str,
    make: Make,
    change: dict[str, Any],
    others: dict[str, Any],
) -> None:
    row = make(bugs)
    scopes = {"scope_manage": True, "scope_write": True, "scope_secrets": True}
    client: APIClient = program(issue_key(bugs, "Set-up", **scopes))
    with written_after_reading(row, **others):
        response = client.patch(f"/api/v1/{path}/{row.pk}/", change, format="json")
    assert response.status_code == 200, response.json()
    row.refresh_from_db()
    assert {name: getattr(row, name) for name in [*others, *change]} == others | change


PARTLY = [each for each in apps.get_models() if issubclass(each, SavedInPart)]


@pytest.mark.parametrize("model", PARTLY, ids=lambda model: model._meta.label)
def test_a_copy_that_is_saved_whole_leaves_what_others_move(
    bugs: FeedbackType, model: type[SavedInPart]
) -> None:
    factories.one_of_everything(bugs)
    copy = model._base_manager.order_by("pk")[0]
    stored = model._base_manager.filter(pk=copy.pk)
    moved = {name: _other(copy, name) for name in model.NEVER_SAVED}
    stored.update(**moved)
    copy.save()
    assert stored.values(*moved).get() == moved


def _other(row: Model, name: str) -> Any:
    """A value that the column does not have."""
    field = row._meta.get_field(name)
    if isinstance(field, DateTimeField):
        return SOON
    if isinstance(field, CharField | TextField):
        return "other"
    if isinstance(field, BooleanField):
        return not getattr(row, name)
    return getattr(row, name) + 1
