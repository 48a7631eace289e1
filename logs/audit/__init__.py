"""The audit log: who did what, when and from where."""

from feedback.access.requests import during

from .changes import record_change
from .entries import record, record_deletions

__all__ = ["during", "record", "record_change", "record_deletions"]
