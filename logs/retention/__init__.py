"""What is kept, and for how long: docs/retention.md."""

from .audit_log import AuditLog
from .counting import MAX_LOOKED_AT, Tally, rehearse
from .of_runs import Attempts, Bodies, Changes, Deliveries, Runs
from .policies import (
    RULES,
    Kept,
    Limits,
    Rule,
    effective,
    operators,
    own_days,
    problems,
    refusals,
)
from .steps import APART, Step, behind, go_on, take_step, whole_pass
from .tier import Row, Tier
from .words import gone_attempts, gone_deliveries, gone_texts

# In the order in which a run goes.
OF_THE_LOG: tuple[Tier, ...] = (
    Bodies(),
    Attempts(),
    Deliveries(),
    Changes(),
    Runs(),
    AuditLog(),
)

__all__ = [
    "APART",
    "Kept",
    "Limits",
    "MAX_LOOKED_AT",
    "OF_THE_LOG",
    "RULES",
    "Row",
    "Rule",
    "Step",
    "Tally",
    "Tier",
    "behind",
    "effective",
    "go_on",
    "gone_attempts",
    "gone_deliveries",
    "gone_texts",
    "operators",
    "own_days",
    "problems",
    "refusals",
    "rehearse",
    "take_step",
    "whole_pass",
]
