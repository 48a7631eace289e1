"""Triggers: macros that run when a ticket or tester changes.

`receivers` hears of changes, `evaluation` decides, `decisions` keeps why.
"""

from .decisions import prune
from .notices import ask
from .trying import try_on

__all__ = ["ask", "prune", "try_on"]
