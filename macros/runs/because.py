"""Why a run starts, where no person clicked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from feedback.changes import Changed
from logs.models import Delivery, Run, RunChange, RunPayload, RunState

from ..models import InboundEvent, Listener, Schedule, Trigger
from ..steps.rendering import Plan

# As long as the run's column.
_MAX_NAME = 100
# Rows in one statement.
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Because:
    """What the run keeps of the trigger, schedule or listener that starts it.

    `chain` are the keys of the triggers that led to it, its own last; `scheduled_for`
    is the moment that the schedule meant, and `note` what there is to say of that.
    `changes` are what a trigger answers to, by the keys of the subjects, and
    `changed_by` names who or what made them. `payload` is what a listener's event says,
    as JSON in ASCII.
    """

    trigger: Trigger | None = None
    schedule: Schedule | None = None
    listener: Listener | None = None
    event: InboundEvent | None = None
    chain: tuple[int, ...] = ()
    scheduled_for: datetime | None = None
    needs_confirmation: bool = False
    note: str = ""
    changes: Mapping[int, Changed] = field(default_factory=dict)
    changed_by: str = ""
    payload: str = ""

    def columns(self) -> dict[str, object]:
        cause = self.trigger or self.schedule or self.listener
        unconfirmed = self.needs_confirmation
        return {
            "trigger": self.trigger,
            "schedule": self.schedule,
            "listener": self.listener,
            "event": self.event,
            "cause_name": self._cause_name(cause.name) if cause else "",
            "chain": list(self.chain),
            "scheduled_for": self.scheduled_for,
            "state": RunState.UNCONFIRMED if unconfirmed else RunState.ACTIVE,
        }

    def _cause_name(self, name: str) -> str:
        """`Nightly`, or `Nightly (late, 10 missed)`."""
        note = f" ({self.note})" if self.note else ""
        room = _MAX_NAME - len(note)
        return f"{name if len(name) <= room else name[: room - 1] + '…'}{note}"

    def keep(self, run: Run, plan: Plan) -> None:
        """Write down with the run what its templates read of it."""
        if plan.reads_change:
            self.keep_changes(run)
        if plan.reads_payload and self.payload:
            self.keep_payload(run)

    def keep_payload(self, run: Run) -> None:
        RunPayload.objects.create(run=run, text=self.payload)

    def keep_changes(self, run: Run) -> None:
        """Write down with the run what its subjects were like before."""
        column = f"{run.subject_kind}_id"
        first = Delivery.objects.filter(run=run, step=0).order_by("pk")
        pks = first.values_list(column, flat=True)
        labels = _labels(run.snapshot)
        rows = (
            RunChange(
                run=run,
                before=change.before,
                fields=_named(change, labels),
                by=self.changed_by[:150],
                **{column: pk},
            )
            for pk in pks
            if (change := self.changes.get(pk))
        )
        while chunk := list(islice(rows, _CHUNK)):
            RunChange.objects.bulk_create(chunk)


def _labels(snapshot: Mapping[str, Any]) -> dict[str, str]:
    return {f"field_{each['key']}": each["label"] for each in snapshot["fields"]}


def _named(change: Changed, labels: Mapping[str, str]) -> list[str]:
    """What differs, as people know it."""
    names = [labels.get(name) or _plain(name) for name in change.fields]
    return [*names, *(["Comments"] if change.comments else [])]


def _plain(name: str) -> str:
    kind, underscore, key = name.partition("_")
    if kind == "external" and underscore:
        return f"External: {key}"
    return name.replace("_", " ").capitalize()
