from .automations import Automation, fits, fitting, misfit
from .inbound import (
    CallState,
    InboundCall,
    InboundEvent,
    InboundOutcome,
    InboundRefusal,
    Refusal,
)
from .listener_parts import ActionKind, ListenerAction, ListenerCheck, Scheme
from .listeners import Listener, ListenerKey, PayloadFormat, RecordBy
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
    "ActionKind",
    "Automation",
    "CallState",
    "DecisionOutcome",
    "Event",
    "InboundCall",
    "InboundEvent",
    "InboundOutcome",
    "InboundRefusal",
    "Listener",
    "ListenerAction",
    "ListenerCheck",
    "ListenerKey",
    "Macro",
    "MacroVersion",
    "Missed",
    "Occurrence",
    "OccurrenceOutcome",
    "Overlap",
    "PayloadFormat",
    "Rate",
    "RecordBy",
    "Refusal",
    "Schedule",
    "Scheme",
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
