"""Record lookups: one record for a caller who knows what it is called."""

from .columns import LookupBroken, columns_for, columns_of
from .finding import NoRecord, SeveralRecords, TooManyMisses, find

__all__ = [
    "LookupBroken",
    "NoRecord",
    "SeveralRecords",
    "TooManyMisses",
    "columns_for",
    "columns_of",
    "find",
]
