"""The one write path of changes to tickets and testers."""

from ..units import Changed, Origin, quietly, unit
from .change import Change, ChangeKind, ChangeResult
from .checking import ChangeChecker, check_tester
from .columns import write
from .many import set_many
from .writing import READ, apply

__all__ = [
    "READ",
    "Change",
    "Changed",
    "ChangeChecker",
    "ChangeKind",
    "ChangeResult",
    "Origin",
    "apply",
    "check_tester",
    "quietly",
    "set_many",
    "unit",
    "write",
]
