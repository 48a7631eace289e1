"""Why a run starts, where no person clicked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from logs.models import RunState

from ..models import Schedule, Trigger


@dataclass(frozen=True, slots=True)
class Because:
    """What the run keeps of the trigger or schedule that starts it.

    `chain` are the keys of the triggers that led to it, its own last; `scheduled_for`
    is the moment that the schedule meant.
    """

    trigger: Trigger | None = None
    schedule: Schedule | None = None
    chain: tuple[int, ...] = ()
    scheduled_for: datetime | None = None
    needs_confirmation: bool = False

    def columns(self) -> dict[str, object]:
        cause = self.trigger or self.schedule
        unconfirmed = self.needs_confirmation
        return {
            "trigger": self.trigger,
            "schedule": self.schedule,
            "cause_name": cause.name if cause else "",
            "chain": list(self.chain),
            "scheduled_for": self.scheduled_for,
            "state": RunState.UNCONFIRMED if unconfirmed else RunState.ACTIVE,
        }
