"""The one write path of changes to tickets and testers."""

from .plan import (
    Change,
    ChangeKind,
    ChangePlan,
    ChangeResult,
    Origin,
    apply,
    of_tester,
)

__all__ = [
    "Change",
    "ChangeKind",
    "ChangePlan",
    "Origin",
    "ChangeResult",
    "apply",
    "of_tester",
]
