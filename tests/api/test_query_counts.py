"""A list asks as much for fifty rows as for one."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from centerhook.api import openapi_spec
from feedback.models import FeedbackType
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.sweep]

ROWS = 50
# Rows that differ by what they point at alone.
DIFFERS_BY = {"feedback.member": "user"}


def lists() -> Iterator[tuple[str, type[models.Model]]]:
    """The path of every list that comes in pages, and what it lists."""
    for path, operations in openapi_spec()["paths"].items():
        parameters = operations.get("get", {}).get("parameters", ())
        if any(each.get("name") == "cursor" for each in parameters):
            view: Any = resolve(path).func
            yield path, view.cls.queryset.model


def copied(row: models.Model, number: int) -> models.Model:
    """Another row beside this one, for the database alone."""
    made = copy.copy(row)
    made.pk = None
    made._state = copy.copy(row._state)
    made._state.adding = True
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        if field.primary_key or field.is_relation:
            continue
        if isinstance(value, str) and value and not field.choices:
            setattr(made, field.attname, f"{number}{value}"[: field.max_length])
        elif isinstance(field, models.IntegerField) and value is not None:
            setattr(made, field.attname, value + number)
    return made


def copies(row: models.Model) -> list[models.Model]:
    numbers = range(100, 100 + ROWS)
    made = [copied(row, number) for number in numbers]
    name = DIFFERS_BY.get(row._meta.label_lower)
    for each, number in zip(made, numbers, strict=True) if name else ():
        other = copied(getattr(row, str(name)), number)
        other.save()
        setattr(each, str(name), other)
    return made


def test_no_list_asks_more_for_more_rows(bugs: FeedbackType) -> None:
    factories.one_of_everything(bugs)
    client = Client()
    client.force_login(factories.superuser("olivia"))
    asked = {}
    seen = 0
    for path, model in lists():
        client.get(path)
        few, shown = _asked(client, path, at_least=1)
        rows: Any = model._base_manager
        row = rows.get(pk=shown["id"])
        rows.bulk_create(copies(row))
        many, _ = _asked(client, path, at_least=ROWS)
        seen += 1
        if many != few:
            asked[path] = (few, many)
    assert asked == {}
    assert seen > 10


def _asked(client: Client, path: str, *, at_least: int) -> tuple[int, Any]:
    """How many queries the list takes, and its first row."""
    with CaptureQueriesContext(connection) as queries:
        response = client.get(path, {"page_size": 200})
    assert response.status_code == 200, (path, response.content)
    listed = response.json()["results"]
    assert len(listed) >= at_least, path
    return len(queries), listed[0]
