"""The audit log: who did what, when and from where."""

from .entries import during, record, record_deletions

__all__ = ["during", "record", "record_deletions"]
