"""What is done with a run or macro and its entry in the audit log go together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from logs.models import Run
from macros.models import Macro
from macros.runs.control import (
    cancel_run,
    confirm_run,
    pause_macro,
    pause_run,
    resume_macro,
    resume_run,
)
from tests import factories

pytestmark = pytest.mark.django_db


def no_entry(execute: Any, sql: str, *rest: Any) -> Any:
    """The database is lost before the entry is written."""
    if sql.startswith('INSERT INTO "logs_auditentry"'):
        raise DatabaseError
    return execute(sql, *rest)


@pytest.mark.parametrize(
    ("state", "paused_reason", "act"),
    [
        ("active", "", lambda run: pause_run(run)),
        ("paused", "", lambda run: resume_run(run)),
        ("active", "", lambda run: cancel_run(run)),
        ("unconfirmed", "", lambda run: confirm_run(run)),
        ("active", "", lambda run: pause_macro(run.macro, "Gone.")),
        ("active", "Gone.", lambda run: resume_macro(run.macro)),
    ],
    ids=["pause", "resume", "cancel", "confirm", "pause macro", "resume macro"],
)
def test_nothing_is_done_that_the_audit_log_does_not_say(
    state: str, paused_reason: str, act: Callable[[Run], object]
) -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    run = factories.run(factories.macro(bugs, "https://a.example/"))
    Run.objects.update(state=state)
    paused_at = timezone.now() if paused_reason else None
    Macro.objects.update(paused_reason=paused_reason, paused_at=paused_at)

    with connection.execute_wrapper(no_entry), pytest.raises(DatabaseError):
        act(run)

    run.refresh_from_db()
    assert (run.state, run.cancelled) == (state, 0)
    assert Macro.objects.get().paused_reason == paused_reason
