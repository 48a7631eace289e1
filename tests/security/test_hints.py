"""Did you mean ...? Found for a few of what is not known, however much is sent."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from feedback import names
from feedback.models import FeedbackType
from tests import factories
from tests.api.callers import issue_key, program

ROOT = Path(__file__).resolve().parents[2]
MANY = {f"a{number:04}": number for number in range(500)}
ROWS: list[dict[str, Any]] = [{**MANY, "form_values": MANY}] * 20
CONDITIONS = {"conditions": [MANY] * 20, **MANY}
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("feedback/", {"title": "x", **MANY, "form_values": MANY}),
    ("feedback/batch/", {"tickets": ROWS}),
    ("testers/batch/", {"testers": [MANY] * 20}),
    ("testers/", MANY),
    ("filters/", {**MANY, "conditions": CONDITIONS}),
    ("filters/preview/", {"conditions": CONDITIONS}),
    ("macros/", {"steps": [MANY] * 20, **MANY}),
    ("listeners/", {"actions": [MANY] * 20, **MANY}),
    ("packages/", {"columns": [MANY] * 20, **MANY}),
    ("schedules/", MANY),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "sent"), CALLS, ids=[each[0] for each in CALLS])
def test_one_call_looks_for_few_names(path: str, sent: dict[str, Any]) -> None:
    bugs: FeedbackType = factories.feedback_type()
    owner = {"type": bugs.pk, "community": bugs.project.community_id}
    scopes = {"scope_write": True, "scope_manage": True}
    client = program(issue_key(bugs, "Set-up", **scopes))
    for body in (sent, {**sent, **owner}, {**sent, "type": bugs.pk}):
        with patch.object(names, "get_close_matches", return_value=[]) as look:
            response = client.post(f"/api/v1/{path}", body, format="json")
        assert response.status_code < 500
        assert look.call_count <= 2 * names.Hints.MOST


def calls_in_loops(tree: ast.AST) -> Iterator[int]:
    loops = ast.For | ast.While | ast.comprehension | ast.ListComp | ast.GeneratorExp
    for loop in ast.walk(tree):
        if isinstance(loop, loops):
            for node in ast.walk(loop):
                function = node.func if isinstance(node, ast.Call) else None
                if isinstance(function, ast.Name) and function.id == "did_you_mean":
                    yield node.lineno  # type: ignore[attr-defined]


def test_no_loop_looks_for_names_without_an_end() -> None:
    unending = [
        f"{path}:{line}"
        for app in ("feedback", "macros", "logs", "centerhook")
        for path in (ROOT / app).rglob("*.py")
        for line in calls_in_loops(ast.parse(path.read_text()))
    ]
    assert unending == [], "Hints.near() ends after some"
