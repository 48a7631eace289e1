"""Record lookups: one record for a caller who knows what it is called."""

from .finding import NoRecord, SeveralRecords, TooManyMisses, find

__all__ = ["NoRecord", "SeveralRecords", "TooManyMisses", "find"]
