"""Migrations are safe while processes of the version before are at work.

CONTRIBUTING.md has the rule, docs/upgrading.md what it promises.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from django.db import models
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Value
from django.db.models.functions import Now, Random

from feedback.migrating import AddIndexAtWork, InBatches
from tests.meta.migrations import (
    CHECKS,
    CUT_OFF,
    IN_USE,
    INDEXES,
    NEEDS_DEFAULT,
    NOT_ATOMIC,
    REWRITES,
    UNBATCHED,
    UNREAD,
    Linter,
)

# The last migration of each app in the first release. What is in a release is never
# changed; what comes later is looked at here.
FIRST_RELEASE = {
    "feedback": "0003_search_indexes",
    "logs": "0004_transcripts",
    "macros": "0001_initial",
    "sign_in": "0001_initial",
}
# What may be done all the same: where, as the linter names it, and why it is safe.
EXCEPTIONS: dict[str, str] = {}


@cache
def loader() -> MigrationLoader:
    return MigrationLoader(None)


@cache
def present() -> ProjectState:
    return loader().project_state()


def later() -> list[Migration]:
    """Those after the first release, in the order in which they are made."""
    plan = [
        key
        for node in loader().graph.leaf_nodes()
        for key in loader().graph.forwards_plan(node)
    ]
    return [
        loader().disk_migrations[app, name]
        for app, name in dict.fromkeys(plan)
        if app in FIRST_RELEASE and name > FIRST_RELEASE[app]
    ]


def test_the_first_release_is_there() -> None:
    assert FIRST_RELEASE.items() <= loader().disk_migrations.keys()
    assert len(FIRST_RELEASE) == 4


@pytest.mark.parametrize("migration", later(), ids=str)
def test_a_migration_holds_up_and_breaks_no_worker_of_the_version_before(
    migration: Migration,
) -> None:
    before = loader().project_state((migration.app_label, migration.name), False)
    faults = [
        f"{where} {why}"
        for where, why in Linter(migration, before).faults()
        if where not in EXCEPTIONS
    ]
    assert faults == []


def test_every_exception_is_needed() -> None:
    faulty = {
        where
        for each in later()
        for where, _ in Linter(
            each, loader().project_state((each.app_label, each.name), False)
        ).faults()
    }
    assert EXCEPTIONS.keys() <= faulty


def faults(*every: Operation, atomic: bool = True) -> list[str]:
    """What the linter says of a migration of `logs` that does this."""
    made = type("Migration", (Migration,), {"operations": every, "atomic": atomic})
    return [why for _, why in Linter(made("9999_made", "logs"), present()).faults()]


def add(field: models.Field[Any, Any]) -> Operation:
    return operations.AddField("delivery", "colour", field)


def alter(name: str, field: models.Field[Any, Any], of: str = "run") -> Operation:
    return operations.AlterField(of, name, field)


INDEX = models.Index(fields=["started_at"], name="attempt_made")


def nothing(*given: object) -> None:
    """Code of a migration."""


BAD: dict[str, tuple[Operation, str]] = {
    "a column without a default": (add(models.TextField()), NEEDS_DEFAULT),
    "a default that only the new version knows": (
        add(models.IntegerField(default=0)),
        NEEDS_DEFAULT,
    ),
    "a default that each row works out": (
        add(models.FloatField(db_default=Random())),
        REWRITES,
    ),
    "a column that is worked out": (
        add(
            models.GeneratedField(
                expression=models.F("attempts") + 1,
                output_field=models.IntegerField(),
                db_persist=True,
            )
        ),
        REWRITES,
    ),
    "a column with an index": (
        add(models.IntegerField(null=True, db_index=True)),
        INDEXES,
    ),
    "a unique column": (add(models.IntegerField(null=True, unique=True)), INDEXES),
    "a key with an index": (
        add(models.ForeignKey("logs.Run", models.CASCADE, null=True)),
        INDEXES,
    ),
    "a column with a check": (add(models.PositiveIntegerField(null=True)), CHECKS),
    "another type": (alter("chain", models.TextField()), REWRITES),
    "a shorter text": (alter("macro_name", models.CharField(max_length=9)), REWRITES),
    "a text with a limit": (
        alter("selection", models.CharField(max_length=900)),
        REWRITES,
    ),
    "a key to another table": (
        alter("project", models.ForeignKey("logs.Run", models.CASCADE, null=True)),
        REWRITES,
    ),
    "no empty value any more": (alter("asked_at", models.DateTimeField()), CHECKS),
    "an index on a column": (
        alter("selection", models.TextField(db_index=True)),
        INDEXES,
    ),
    "another column under the same name": (
        alter("selection", models.TextField(db_column="chosen")),
        IN_USE,
    ),
    "an index": (operations.AddIndex("attempt", INDEX), INDEXES),
    "a constraint": (
        operations.AddConstraint(
            "run", models.CheckConstraint(condition=models.Q(total__gte=0), name="c")
        ),
        CHECKS,
    ),
    "a column dropped": (operations.RemoveField("run", "selection"), IN_USE),
    "a column renamed": (operations.RenameField("run", "selection", "x"), IN_USE),
    "a table dropped": (operations.DeleteModel("RunChange"), IN_USE),
    "a table renamed": (operations.RenameModel("RunChange", "X"), IN_USE),
    "a table renamed in the database": (
        operations.AlterModelTable("runchange", "x"),
        IN_USE,
    ),
    "an index while in a transaction": (
        AddIndexAtWork("attempt", INDEX),
        NOT_ATOMIC,
    ),
    "code over any number of rows": (operations.RunPython(nothing), UNBATCHED),
    "batches in one transaction": (
        operations.RunPython(InBatches("logs", "Delivery", nothing)),
        UNBATCHED,
    ),
    "SQL": (operations.RunSQL("UPDATE logs_delivery SET losses = 0"), UNBATCHED),
    "what is hidden from the models": (
        operations.SeparateDatabaseAndState(
            database_operations=[operations.RemoveField("run", "selection")]
        ),
        IN_USE,
    ),
    "what the linter does not know": (
        operations.AlterUniqueTogether("run", {("key", "cause")}),
        UNREAD,
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_migration_of_each_kind_is_refused(name: str) -> None:
    operation, why = BAD[name]
    assert faults(operation) == [why]


def test_without_a_transaction_only_what_can_be_made_again() -> None:
    column = add(models.IntegerField(null=True))
    assert faults(AddIndexAtWork("attempt", INDEX), column, atomic=False) == [CUT_OFF]


def test_where_a_fault_is() -> None:
    made = type("Migration", (Migration,), {"operations": [add(models.TextField())]})
    [(where, _)] = Linter(made("9999_made", "logs"), present()).faults()
    assert where == "logs.9999_made delivery.colour"


GOOD: dict[str, list[Operation]] = {
    "an empty column": [add(models.TextField(null=True))],
    "a column with a constant": [add(models.IntegerField(db_default=0))],
    "the same by another word": [add(models.IntegerField(db_default=Value(0)))],
    "the moment of the migration": [add(models.DateTimeField(db_default=Now()))],
    "a key without an index": [
        add(models.ForeignKey("logs.Run", models.CASCADE, null=True, db_index=False))
    ],
    "many to many": [add(models.ManyToManyField("logs.Run"))],
    "a longer text": [alter("macro_name", models.CharField(max_length=200))],
    "a text without a limit": [alter("macro_name", models.TextField())],
    "an empty value": [alter("total", models.PositiveIntegerField(null=True))],
    "other words for people": [alter("selection", models.TextField("chosen"))],
    "a table of its own, with all that belongs to it": [
        operations.CreateModel("Made", [("id", models.BigAutoField(primary_key=True))]),
        operations.AddField("made", "name", models.TextField(unique=True)),
        operations.AddIndex("made", models.Index(fields=["name"], name="made_name")),
    ],
    "a column that the models forget first": [
        operations.SeparateDatabaseAndState(
            state_operations=[operations.RemoveField("run", "selection")]
        )
    ],
    "an index dropped": [operations.RemoveIndex("run", "run_paused")],
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_migration_is_not_refused(name: str) -> None:
    assert faults(*GOOD[name]) == []


def test_a_good_migration_that_has_no_transaction() -> None:
    code = operations.RunPython(InBatches("logs", "Delivery", nothing), nothing)
    assert faults(AddIndexAtWork("attempt", INDEX), code, atomic=False) == []
