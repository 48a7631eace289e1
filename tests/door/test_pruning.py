"""Old calls and refusals go, a few at a time; what waits stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from feedback.models import FeedbackType
from macros import jobs
from macros.listeners import pruning
from macros.models import InboundCall, InboundEvent, InboundRefusal, Refusal
from tests import factories

pytestmark = pytest.mark.django_db


def test_what_is_older_goes_and_what_waits_stays(
    bugs: FeedbackType, settings: Any
) -> None:
    settings.INBOUND_KEPT_DAYS = 7
    listener = factories.listener(bugs)
    now, old = timezone.now(), timezone.now() - timedelta(days=7, minutes=1)
    gone = factories.inbound_call(listener, state="done", received_at=old)
    event = {"listener": listener, "outcome": "acted", "created_at": old}
    InboundEvent.objects.create(call=gone, **event)
    kept = [
        factories.inbound_call(listener, state="waiting", received_at=old),
        factories.inbound_call(listener, state="done", received_at=now, replay_of=gone),
    ]
    for moment in (old - timedelta(hours=1), now):
        InboundRefusal.objects.note(listener.pk, "203.0.113.7", Refusal.BAD_KEY, moment)
    jobs.wake()
    assert [*InboundCall.objects.order_by("pk")] == kept
    assert not InboundEvent.objects.filter(created_at=old).exists()
    assert InboundRefusal.objects.get().last_at == now


def test_a_step_is_bounded_and_the_oldest_go_first(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "STEP", 2)
    listener = factories.listener(bugs)
    years = [timezone.now() - timedelta(days=365 * each) for each in (1, 3, 2, 4, 5)]
    for moment in years:
        factories.inbound_call(listener, state="done", received_at=moment)
        InboundRefusal.objects.note(listener.pk, "", Refusal.BAD_KEY, moment)
    left = []
    for _ in range(3):
        pruning.prune()
        left.append([call.received_at for call in InboundCall.objects.order_by("pk")])
    assert left == [[years[0], years[1], years[2]], [years[0]], []]
    assert not InboundRefusal.objects.exists()
