"""Hears of changes: `macros.apps` loads it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress

from django.db import transaction
from django.db.models import Model, Q
from django.dispatch import receiver

from feedback.changes import Changed, Origin
from feedback.changes.signals import awaited, changed, changing
from feedback.models import FeedbackType

from ..models import Trigger
from ..models.triggers import EVENTS
from . import memory
from .evaluation import MODELS, react, waiting
from .matching import FilterBroken, Matching

logger = logging.getLogger(__name__)

_KINDS = {model: kind for kind, model in MODELS.items()}


@receiver(changing, dispatch_uid="triggers")
def _changing(sender: type[Model], pks: Sequence[int], **kwargs: object) -> None:
    """Ask what matches already, for triggers that wait until it starts to."""
    kind = _KINDS[sender]
    matching = Matching()
    matched: dict[int, set[int]] = {}
    try:
        with transaction.atomic():
            triggers = waiting(kind, pks, EVENTS[kind], only_new_matches=True)
            # What can't be known is taken for a match, which starts nothing.
            matched = {trigger.pk: set(pks) for trigger in triggers}
            for trigger in triggers:
                with suppress(FilterBroken):
                    matched[trigger.pk] = matching.matches(trigger, pks)
    except Exception:
        logger.exception("A fault while triggers were asked what matches")
    memory.keep(kind, pks, matched)


@receiver(changed, dispatch_uid="triggers")
def _changed(
    sender: type[Model], changes: Sequence[Changed], origin: Origin, **kwargs: object
) -> None:
    kind = _KINDS[sender]
    before = memory.take(kind)
    try:
        with transaction.atomic():
            react(kind, changes, origin, before)
    except Exception:
        logger.exception("A fault while triggers were evaluated")


@receiver(awaited, dispatch_uid="triggers")
def _awaited(
    sender: type[Model], feedback_type: FeedbackType, **kwargs: object
) -> bool:
    on_tickets = Q(macro__feedback_type=feedback_type)
    community = feedback_type.project.community_id
    on_testers = Q(macro__feedback_type=None, community=community)
    return Trigger.objects.filter(on_tickets | on_testers, is_active=True).exists()
