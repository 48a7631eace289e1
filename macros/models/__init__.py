from .automations import Automation, fits, fitting, misfit
from .macros import Macro
from .schedules import (
    Missed,
    Occurrence,
    OccurrenceOutcome,
    Overlap,
    Rate,
    Schedule,
)
from .secrets import Secret, Vault
from .steps import Step, kind_accessors, kind_named, step_kinds
from .triggers import DecisionOutcome, Event, Trigger, TriggerDecision
from .versions import MacroVersion

__all__ = [
    "Automation",
    "DecisionOutcome",
    "Event",
    "Macro",
    "MacroVersion",
    "Missed",
    "Occurrence",
    "OccurrenceOutcome",
    "Overlap",
    "Rate",
    "Schedule",
    "Secret",
    "Step",
    "Trigger",
    "TriggerDecision",
    "Vault",
    "fits",
    "fitting",
    "kind_accessors",
    "kind_named",
    "misfit",
    "step_kinds",
]
