from __future__ import annotations

from collections.abc import Sequence

from ..models import AuditEntry
from .policies import Kept
from .tier import Row, Tier, delete_free


class AuditLog(Tier):
    """Entries that nobody may delete but by age, and never before the floor."""

    name = "audit"
    kept = Kept.AUDIT
    model = AuditEntry
    community = "community"
    moment = "moment"

    def remove(self, rows: Sequence[Row]) -> int:
        # The manager that is everybody's refuses to delete.
        entries = AuditEntry._base_manager
        return delete_free(entries.filter(pk__any_of=[row.key for row in rows]))
