"""What becomes of one event."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from feedback.models import Feedback, Tester

from ..models import InboundEvent, InboundOutcome


class Ended(Exception):
    """Nothing is done for an event, and all that was done for it is undone."""

    def __init__(
        self,
        outcome: InboundOutcome,
        detail: str,
        repeat_of: InboundEvent | None = None,
    ) -> None:
        super().__init__(outcome, detail)
        self.outcome = outcome
        self.detail = detail
        self.repeat_of = repeat_of


def failed(detail: str) -> Ended:
    return Ended(InboundOutcome.FAILED, detail)


@dataclass
class Result:
    """`changes` are sentences; `macros` are those that it runs, by their names."""

    name: str = ""
    outcome: InboundOutcome = InboundOutcome.ACTED
    detail: str = ""
    changes: list[str] = field(default_factory=list)
    macros: list[str] = field(default_factory=list)
    record: Feedback | Tester | None = None
    happened_at: datetime | None = None
    repeat_key: str = ""
    repeat_of: InboundEvent | None = None

    def end(self, ended: Ended) -> None:
        self.outcome, self.detail = ended.outcome, ended.detail
        self.repeat_of = ended.repeat_of
        self.changes, self.macros, self.repeat_key = [], [], ""
