"""The one write path of the log: attempts, the states they lead to, captures."""

from .outcomes import COUNTERS, Captured, Outcome
from .states import (
    begin_cancelling,
    cancel,
    cancel_unheld,
    confirm,
    pause,
    resume,
    withdraw,
)
from .writing import record, scrub

__all__ = [
    "COUNTERS",
    "Captured",
    "Outcome",
    "begin_cancelling",
    "cancel",
    "cancel_unheld",
    "confirm",
    "pause",
    "record",
    "resume",
    "scrub",
    "withdraw",
]
