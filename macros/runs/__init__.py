"""Runs: started through one door, paused, cancelled, and resent."""

from .because import Because
from .start import (
    KeyReused,
    NothingSelected,
    RunRefused,
    start_run,
    start_test,
    why_refused,
)
from .subjects import macros_for, not_run_on, nothing_left, subjects_of

__all__ = [
    "Because",
    "KeyReused",
    "NothingSelected",
    "RunRefused",
    "macros_for",
    "not_run_on",
    "nothing_left",
    "start_run",
    "start_test",
    "subjects_of",
    "why_refused",
]
