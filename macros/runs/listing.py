"""What runs a macro by itself, as pages list it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from logs.models import Run


@dataclass(frozen=True, slots=True)
class AutomationRow:
    """A trigger or a schedule; `sentence` says when it runs its macro."""

    sentence: str
    macro: str
    url: str
    toggle_url: str
    is_active: bool
    may_change: bool
    next_at: datetime | None = None
    last_at: datetime | None = None
    last_result: str = ""
    last_run: Run | None = None
