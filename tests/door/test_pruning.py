"""Old calls and refusals go, a few at a time; what waits stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from feedback.models import FeedbackType
from logs.retention import whole_pass
from macros import jobs
from macros.listeners import pruning
from macros.models import InboundCall, InboundEvent, InboundRefusal, Refusal
from tests import factories

pytestmark = pytest.mark.django_db


def test_what_is_older_goes_and_what_waits_stays(
    bugs: FeedbackType, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.INBOUND_KEPT_DAYS = 7
    monkeypatch.setattr("logs.retention.steps.BUDGET", 60)
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


def test_a_step_is_bounded_by_calls_and_by_their_events(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning.Calls, "most", 3)
    monkeypatch.setattr(pruning, "MAX_EVENTS", 3)
    listener = factories.listener(bugs)
    old = timezone.now() - timedelta(days=365)
    for events in (4, 1, 1, 2, 0, 0, 0):
        call = factories.inbound_call(listener, state="done", received_at=old)
        InboundEvent.objects.bulk_create(
            InboundEvent(
                call=call,
                listener=listener,
                position=position,
                outcome="acted",
                created_at=old,
            )
            for position in range(events)
        )
    calls = pruning.Calls()
    steps = [step.removed for _, step in whole_pass([calls], timezone.now())]
    assert steps == [1, 2, 3, 1, 0]
    assert not InboundEvent.objects.exists()
