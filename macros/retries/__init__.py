"""When a delivery that failed is tried again, and what a destination says about it."""

from .asking import MAX_RETRY_AFTER, Asked, asked_to_wait
from .conditions import WaitCondition, check_conditions, compile_conditions
from .policy import (
    CAUSE_LABELS,
    DEFAULT_LADDER,
    Failure,
    GiveUp,
    RetryCause,
    RetryPolicy,
    cause_of,
    in_words,
    parse_give_up,
    parse_ladder,
)

__all__ = [
    "CAUSE_LABELS",
    "DEFAULT_LADDER",
    "MAX_RETRY_AFTER",
    "Asked",
    "Failure",
    "GiveUp",
    "RetryCause",
    "RetryPolicy",
    "WaitCondition",
    "asked_to_wait",
    "cause_of",
    "check_conditions",
    "compile_conditions",
    "in_words",
    "parse_give_up",
    "parse_ladder",
]
