"""The one write path of changes to tickets and testers."""

from .change import Change, Changed, ChangeKind, ChangeResult, Origin
from .checking import ChangeChecker, check_tester
from .writing import apply

__all__ = [
    "Change",
    "Changed",
    "ChangeChecker",
    "ChangeKind",
    "ChangeResult",
    "Origin",
    "apply",
    "check_tester",
]
