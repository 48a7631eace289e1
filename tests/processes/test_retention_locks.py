"""What goes by age and what others do with the same rows never wait for each other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from logs.models import (
    Delivery,
    DeliveryState,
    Resend,
    RetentionCursor,
    Run,
    RunChange,
    TicketCount,
)
from logs.recording import requeue
from logs.retention import go_on, whole_pass
from macros.models import InboundEvent, Macro
from macros.retention import TIERS
from tests import factories
from tests.logs import aged
from tests.processes.test_lock_order import Scene, beside

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]


def a_scene() -> Scene:
    """A run that is over and as old as all that belongs to it; a call started it."""
    kind = factories.feedback_type()
    for _ in range(2):
        factories.ticket(kind, submitter=factories.tester(kind))
    macro = factories.macro(kind, "https://a.example/")
    run = aged.run(macro, 1_000, tickets=0)
    listener = factories.listener(kind)
    call = factories.inbound_call(listener, received_at=aged.ago(1_000))
    event = factories.inbound_event(call, "acted", created_at=aged.ago(1_000))
    Run.objects.filter(pk=run.pk).update(event=event)
    RunChange.objects.create(run=run, feedback=kind.tickets.first())
    return Scene(kind, run, [])


def retain(scene: Scene) -> None:
    for _ in whole_pass(TIERS, timezone.now()):
        pass


def resend(scene: Scene) -> None:
    rows = Delivery.objects.filter(run=scene.run)
    requeue.requeue(rows, Resend.ANEW, "me", timezone.now())


OTHERS: dict[str, Callable[[Scene], object]] = {
    "resends": resend,
    "deletes in steps": Scene.delete_in_steps,
    "deletes the macro": lambda scene: scene.delete(Macro),
    "deletes tickets": Scene.delete_tickets,
    "deletes testers": Scene.delete_testers,
}
STRIDES = {"deletes in steps": 6}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("is_first", [True, False], ids=["first", "second"])
def test_nobody_and_the_clock_wait_for_each_other(name: str, is_first: bool) -> None:
    after, goes_on = 1, True
    while goes_on:
        scene = a_scene()
        deeds = [lambda: retain(scene), lambda: OTHERS[name](scene)]  # noqa: B023
        if not is_first:
            deeds.reverse()
        goes_on = beside(deeds[0], deeds[1], after)
        after += 1 if is_first else STRIDES.get(name, 1)
        retain(scene)
        to_do = [DeliveryState.PENDING, DeliveryState.WAITING]
        left = Delivery.objects.filter(run=scene.run)
        assert not left.exclude(state__in=to_do).exists()
        assert not InboundEvent.objects.exists() and not TicketCount.objects.exists()


def test_two_clocks_at_once_take_the_turn_once() -> None:
    now = timezone.now()
    after, goes_on, taken = 1, True, 0
    while goes_on:
        a_scene()
        RetentionCursor.objects.update(rests_until=None, begun_at=None)
        removed: list[int] = []

        def once(removed: list[int] = removed) -> None:
            removed.append(go_on(TIERS, now))

        goes_on = beside(once, once, after)
        assert removed.count(0) >= 1
        taken += max(removed)
        RetentionCursor.objects.update(rests_until=now - timedelta(days=1))
        after += 1
    assert taken
