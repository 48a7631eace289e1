from .attempts import Attempt, Cut, ErrorClass
from .deliveries import Delivery, DeliveryState, Resend, delivery_id
from .destinations import BreakerState, Destination
from .runs import Cause, Run, RunState

__all__ = [
    "Attempt",
    "BreakerState",
    "Cause",
    "Cut",
    "Delivery",
    "DeliveryState",
    "Destination",
    "ErrorClass",
    "Resend",
    "Run",
    "RunState",
    "delivery_id",
]
