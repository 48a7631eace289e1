"""Rows that are written together say what they would say one by one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from logs.models import AuditEntry
from logs.models.audit import Action

MOMENT = datetime(2026, 11, 26, 23, 59, 59, 123456, tzinfo=UTC)
CHANGES: list[dict[str, Any]] = [
    {},
    {"title": ["", "A\ttab, a \\ and a\nline"]},
    {"status": [None, "Grün 🙂"], "score": [1, 2.5], "open": [True, False]},
]


@pytest.mark.parametrize("changes", CHANGES)
def test_an_entry_is_the_same_however_it_was_written(
    db: None, changes: dict[str, Any]
) -> None:
    columns: dict[str, Any] = {
        "moment": MOMENT,
        "action": Action.CHANGED,
        "object_type": "feedback.feedback",
        "object_id": 2**40,
        "object_name": "BUG-1 \\N",
        "changes": changes,
    }
    AuditEntry(**columns).save()
    AuditEntry.objects.write([AuditEntry(**columns), AuditEntry(**columns)])
    one, *others = AuditEntry.objects.order_by("pk").values()
    assert len(others) == 2
    for other in others:
        assert other | {"id": 0} == one | {"id": 0}


def test_nothing_is_written_where_there_is_none(db: None) -> None:
    AuditEntry.objects.write([])
    assert not AuditEntry.objects.exists()
