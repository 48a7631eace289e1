"""The one door to start work, and what can be done with a run."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from feedback.models import Feedback
from logs import recording
from logs.models import Cause, Delivery, Run

from . import queue
from .models import Macro
from .rendering import Plan
from .tags import TemplateError


class RunRefused(Exception):
    """Why a run was not started, as a sentence for the person who asked."""


def start_run(
    macro: Macro,
    targets: QuerySet[Feedback],
    *,
    cause: Cause,
    actor: Any = None,
    key: str = "",
    selection: str = "",
) -> Run:
    """Create a run with a delivery for each target and step, and wake the workers.

    All rows exist when this returns inside its transaction; the bell rings after the
    commit. A second call with the same `key` (32 hexadecimal digits) returns the
    first one's run. Raises RunRefused, and then nothing is written.
    """
    key = key or uuid.uuid4().hex
    snapshot = _ready_snapshot(macro)
    with transaction.atomic():
        run, created = Run.objects.get_or_create(
            key=key,
            defaults={
                "community_id": macro.feedback_type.project.community_id,
                "macro": macro,
                "macro_name": macro.name,
                "snapshot": snapshot,
                "cause": cause,
                "actor": actor,
                "actor_name": actor.get_username() if actor else "",
                "selection": selection,
                "created_at": timezone.now(),
            },
        )
        if run.macro_id != macro.pk:
            raise RunRefused("This key was used for a run of another macro.")
        if created:
            _create_deliveries(run, macro, targets)
            transaction.on_commit(lambda: queue.ring(run.pk, run.total))
    return run


def _ready_snapshot(macro: Macro) -> dict[str, Any]:
    if not macro.is_active:
        raise RunRefused(f"The macro {macro.name} is off. Switch it on to run it.")
    snapshot = macro.snapshot()
    if not snapshot["steps"]:
        raise RunRefused(
            f"The macro {macro.name} has no web request. Add one to run it."
        )
    try:
        Plan.from_snapshot(snapshot)
    except TemplateError as error:
        raise RunRefused(f"The macro {macro.name} can't run. {error}") from error
    return snapshot


def _create_deliveries(run: Run, macro: Macro, targets: QuerySet[Feedback]) -> None:
    own = targets.filter(feedback_type=macro.feedback_type_id)
    steps = len(run.snapshot["steps"])
    run.total = Delivery.objects.create_for(run, own, steps)
    if not run.total:
        raise RunRefused(
            f"No ticket of {macro.feedback_type} is selected, so nothing was sent."
        )
    run.save(update_fields=["total"])


def cancel_run(run: Run) -> None:
    """Send nothing more of a run; what is on the wire is still recorded."""
    recording.cancel(run, timezone.now())
