"""Tickets, testers and comments are written through one door, `feedback.units`.

Their models and querysets are the door, so what remains to be found are the ways around
Django's: statements of one's own, plain managers, and switching announcements off.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db.models import Model, QuerySet

from feedback.models import Comment, Feedback
from feedback.models import Tester as Person
from feedback.units import AnnouncedQuerySet, AnnouncedRow
from tests.meta.test_imports import modules, name_of

# What writes past `save` and the querysets, or keeps a write from being announced.
AROUND = frozenset(
    {
        *("execute", "executemany", "cursor", "raw"),
        *("save_base", "_update", "_insert", "_do_update", "_do_insert"),
        *("UpdateQuery", "InsertQuery", "quietly"),
    }
)
WRITING = frozenset({"update", "bulk_create", "bulk_update", "create", "save"})
PLAIN = frozenset({"_base_manager", "QuerySet", "Manager"})
# The modules that do, each with the reason.
ALLOWED = {
    "feedback.changes.columns": "the door's own way to write many rows",
    "feedback.units.rows": "the door itself",
    "feedback.models.comments": "moves the ticket's date when a comment is announced",
    "feedback.console.limited": "sets a time limit, and writes no row",
    "logs.recording.counts": "adds to figures, which are no tickets",
    "logs.privacy.erasure": "nothing is announced about a person who is erased",
    "macros.first_steps.samples": "nothing starts by itself from made-up tickets",
    "feedback.changes.deletion": "marks rows that are being deleted in steps",
    "feedback.changes.belongings": "counts what belongs to a row, and writes none",
    "feedback.packages.copying": "reads rows by COPY, and writes none",
    "feedback.selection.planner": "sets how PostgreSQL plans, and writes no row",
    "centerhook.doctor.database": "reads what PostgreSQL says of its own tables",
    "centerhook.management.commands.migrate": "sets a time limit, and writes no row",
    "feedback.migrating": "makes indexes, and asks which there are",
    "centerhook.doctor.tables": "reads which columns there are",
    "centerhook.health.probes": "asks whether the database answers, and no more",
    "centerhook.query_deadline": "passes on each statement, writes none of its own",
    "logs.models.writing_rows": "inserts attempts, transcripts and audit entries only",
    "logs.models.deliveries": "inserts deliveries only",
    "logs.retention.partitions": "makes and drops months of transcripts",
    "macros.listeners.storing": "inserts calls only",
    "macros.right_time": "asks what time it is",
}


def ways_around(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of each call that writes past the door, or may."""
    plain = PLAIN | {*plain_rows(tree)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        names = list(chain(node.func))
        if names[:1] and names[0] in AROUND:
            yield node.lineno, names[0]
        elif names[:1] and names[0] in WRITING and plain & {*names}:
            yield node.lineno, ".".join(reversed(names))


def plain_rows(tree: ast.AST) -> Iterator[str]:
    """The variables that hold rows of a plain manager."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and PLAIN & {*chain(node.value)}:
            for each in ast.walk(node):
                if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                    yield each.id


def chain(node: ast.expr) -> Iterator[str]:
    """The names of `a.b(...).c`, from the last to the first."""
    while True:
        if isinstance(node, ast.Attribute):
            yield node.attr
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Subscript):
            node = node.value
        else:
            if isinstance(node, ast.Name):
                yield node.id
            return


def test_nothing_writes_past_the_door() -> None:
    around: dict[str, list[str]] = {}
    for path in modules():
        for line, call in ways_around(ast.parse(path.read_text())):
            around.setdefault(name_of(path), []).append(f"{path}:{line} {call}")
    strangers = {name: calls for name, calls in around.items() if name not in ALLOWED}
    assert strangers == {}
    assert ALLOWED.keys() - around.keys() == set(), "no longer needed"


@pytest.mark.parametrize(
    "source",
    [
        "Feedback._base_manager.filter(pk=1).update(title='x')",
        "type(row)._base_manager.bulk_create(rows)",
        "mine = Feedback._base_manager.filter(pk=1)\nmine.update(title='x')",
        "with connection.cursor() as cursor: pass",
        "cursor.execute('UPDATE feedback_tester SET score = 1')",
        "Feedback.objects.raw('DELETE')",
        "with quietly(): ticket.save()",
        "models.QuerySet(Feedback).filter(pk=1).update(title='x')",
        "ticket.save_base(raw=True)",
    ],
)
def test_a_way_around_is_noticed(source: str) -> None:
    assert list(ways_around(ast.parse(source)))


@pytest.mark.parametrize("source", ["ticket.save()", "rows.update(title='x')"])
def test_the_door_is_no_way_around(source: str) -> None:
    assert not list(ways_around(ast.parse(source)))


@pytest.mark.parametrize("model", [Feedback, Person])
def test_each_way_of_django_is_the_door(model: type[AnnouncedRow]) -> None:
    rows = model._default_manager.all()
    assert isinstance(rows, AnnouncedQuerySet)
    for name in ("update", "bulk_create"):
        assert getattr(type(rows), name) is not getattr(QuerySet, name)
    assert AnnouncedRow in model.__mro__ and model.save is not Model.save


def test_no_subject_is_left_out() -> None:
    """A row that has external data is one that macros write to."""
    subjects = {
        model
        for model in apps.get_models()
        if any(field.name == "external_data" for field in model._meta.fields)
    }
    assert subjects == {Feedback, Person}
    assert Comment.save is not Model.save
