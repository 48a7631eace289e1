"""What workers held that went silent: its outcome is unknown, and the log says so."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from logs import recording
from logs.models import Delivery, Run
from logs.recording import Outcome

from ..steps.rendering import Plan
from . import outcomes
from .claims import claim_lost


def lost(run: Run, plan: Plan, delivery: Delivery, now: datetime) -> Outcome:
    if plan.steps[delivery.step].transport is None:
        return outcomes.of_lost_change(delivery, now)
    return outcomes.of_lost_lease(run, delivery, plan.policy, now)


def note_losses(run: Run, plan: Plan) -> None:
    """Write down all of a run, and send nothing: people see it before they let go.

    Each is due again as its macro says, or has failed.
    """
    lease = uuid.uuid4().hex
    while deliveries := claim_lost(run.pk, settings.BATCH_SIZE, lease):
        now = timezone.now()
        results = [lost(run, plan, delivery, now) for delivery in deliveries]
        recording.record(run, lease, results, now)
