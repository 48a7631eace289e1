from __future__ import annotations

from enum import StrEnum


class RowOutcome(StrEnum):
    """What became of one row of a call."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
