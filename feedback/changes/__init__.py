"""The one write path of changes to tickets and testers."""

from .plan import (
    Change,
    ChangeKind,
    Judge,
    Origin,
    Verdict,
    apply,
    of_tester,
)

__all__ = [
    "Change",
    "ChangeKind",
    "Judge",
    "Origin",
    "Verdict",
    "apply",
    "of_tester",
]
