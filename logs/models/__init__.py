from .attempts import Attempt, Cut, ErrorClass
from .audit import Action, AuditEntry
from .counts import BOUNDS, BUCKETS, DeliveryCount, Span, TicketCount
from .deliveries import (
    Delivery,
    DeliveryState,
    Resend,
    Subjects,
    delivery_id,
)
from .destinations import BreakerState, Destination
from .retention import RetentionCursor, RetentionPolicy
from .run_changes import RunChange
from .run_payloads import RunPayload
from .runs import Cause, Run, RunState
from .transcripts import Transcript

__all__ = [
    "Action",
    "Attempt",
    "BOUNDS",
    "BUCKETS",
    "AuditEntry",
    "BreakerState",
    "Cause",
    "Cut",
    "Delivery",
    "DeliveryCount",
    "DeliveryState",
    "Destination",
    "ErrorClass",
    "Resend",
    "RetentionCursor",
    "RetentionPolicy",
    "Run",
    "RunChange",
    "RunPayload",
    "RunState",
    "Span",
    "Subjects",
    "TicketCount",
    "Transcript",
    "delivery_id",
]
