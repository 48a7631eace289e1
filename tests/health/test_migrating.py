"""What migrations are made of while others write, and may be cut off."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models
from django.db.migrations.state import ProjectState
from django.db.models import QuerySet

from feedback.migrating import AddIndexAtWork, InBatches
from feedback.models import Tester as Person
from tests import factories

INDEX = models.Index(fields=["score"], name="tester_made_at_work")
TABLE = "feedback_tester"


def names() -> set[str]:
    with connection.cursor() as cursor:
        return {*connection.introspection.get_constraints(cursor, TABLE)}


def run(operation: AddIndexAtWork, *, backwards: bool = False) -> None:
    before = ProjectState.from_apps(apps)
    after = before.clone()
    operation.state_forwards("feedback", after)
    with connection.schema_editor(atomic=False) as editor:
        if backwards:
            operation.database_backwards("feedback", editor, after, before)
        else:
            operation.database_forwards("feedback", editor, before, after)


def seconds_for_locks() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        return str(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_an_index_is_made_and_made_again_where_it_was_cut_off() -> None:
    operation = AddIndexAtWork("tester", INDEX)
    run(operation)
    assert INDEX.name in names()
    if connection.vendor == "postgresql":
        before = seconds_for_locks()
        run(operation)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE pg_index SET indisvalid = false"
                " WHERE indexrelid = 'tester_made_at_work'::regclass"
            )
        run(operation)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid")
            assert cursor.fetchone() == (0,)
        assert seconds_for_locks() == before
    run(operation, backwards=True)
    assert INDEX.name not in names()


@pytest.mark.django_db
def test_rows_are_changed_in_batches_each_once() -> None:
    bugs = factories.feedback_type()
    for number in range(5):
        factories.tester(bugs, f"person{number}@example.com")
    batches: list[int] = []

    def change(rows: QuerySet[Any]) -> None:
        batches.append(rows.update(score=models.F("score") + 1))

    code = InBatches("feedback", "Tester", change, size=2)
    editor: Any = SimpleNamespace(connection=connection)
    code(apps, editor)
    assert batches == [2, 2, 1]
    assert {*Person.objects.values_list("score", flat=True)} == {1}
