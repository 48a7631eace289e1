from .attempts import Attempt, Cut, ErrorClass
from .audit import Action, AuditEntry
from .deliveries import (
    Delivery,
    DeliveryState,
    Resend,
    Subjects,
    delivery_id,
)
from .destinations import BreakerState, Destination
from .run_changes import RunChange
from .run_payloads import RunPayload
from .runs import Cause, Run, RunState

__all__ = [
    "Action",
    "Attempt",
    "AuditEntry",
    "BreakerState",
    "Cause",
    "Cut",
    "Delivery",
    "DeliveryState",
    "Destination",
    "ErrorClass",
    "Resend",
    "Run",
    "RunChange",
    "RunPayload",
    "RunState",
    "Subjects",
    "delivery_id",
]
