"""How runs and deliveries stand, and what came of them, as pages show it."""

from .failures import FailureGroup, failures_of
from .standing import (
    code_badge,
    delivery_badge,
    destination_badge,
    response_badge,
    run_badge,
    run_bar,
    test_badge,
)
from .timeline import Diagnosis, Moment, diagnose, spoken, timeline_of

__all__ = [
    "Diagnosis",
    "FailureGroup",
    "Moment",
    "code_badge",
    "delivery_badge",
    "destination_badge",
    "diagnose",
    "failures_of",
    "response_badge",
    "run_badge",
    "run_bar",
    "spoken",
    "test_badge",
    "timeline_of",
]
