"""What triggers cost whoever saves, and how soon what they start arrives."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import TYPE_CHECKING

from . import engine
from .ground import Ground, say
from .report import Figure

if TYPE_CHECKING:
    from django.test import Client

    from feedback.models import FeedbackType
    from macros.models import Trigger

# Changed at once, and how many of them each of three triggers matches.
CHANGED, MATCHING, AT_ONCE = 10_000, 100, 3
ON_A_TYPE = 10
SAVES = 20
_POLL = 0.005
_PATIENCE = 30.0


def run(ground: Ground, rounds: int) -> dict[str, Figure]:
    figures = {"bulk_edit_with_three_triggers_ratio": _bulk_edit(ground, rounds)}
    figures["trigger_save_overhead_ms"] = _save_overhead(ground, rounds)
    figures["trigger_to_receiver_seconds"] = _to_receiver(ground, rounds)
    return figures


def _bulk_edit(ground: Ground, rounds: int) -> Figure:
    """The time with three triggers to the time with none, in pairs."""
    from feedback.changes import quietly, set_many
    from feedback.models import Feedback
    from macros.models import Event
    from tests import factories

    of = engine.seed(CHANGED)
    everything = Feedback.objects.filter(feedback_type=of)
    rare = everything.filter(number__lte=MATCHING)
    rare.update(form_values={"severity": "Critical"})
    critical = {"field": "field_severity", "qualifier": "is", "value": "Critical"}
    chosen = factories.saved_filter(of, critical)
    triggers = [
        factories.trigger(
            engine.macro(of, f"{ground.receiver.url}/ok"),
            Event.STATUS_CHANGED,
            filter=chosen,
        )
        for _ in range(AT_ONCE)
    ]
    first, last = of.statuses.order_by("position")

    def edit() -> float:
        with quietly():
            everything.update(status=first)
        begun = time.monotonic()
        set_many(everything, status=last)
        return time.monotonic() - begun

    _switch(triggers, False)
    edit()
    ratios = []
    for _ in range(rounds * 2 + 1):
        _switch(triggers, False)
        alone = edit()
        _switch(triggers, True)
        ratios.append(edit() / alone)
    _switch(triggers, False)
    say(f"{CHANGED:,} changed with {AT_ONCE} triggers: {median(ratios):.2f} x")
    return median(ratios)


def _save_overhead(ground: Ground, rounds: int) -> Figure:
    """Milliseconds more for one ticket that is saved in the admin."""
    from macros.models import Event
    from tests import factories

    of = engine.seed(1)
    macro = engine.macro(of, f"{ground.receiver.url}/ok")
    critical = {"field": "field_severity", "qualifier": "is", "value": "Never"}
    chosen = factories.saved_filter(of, critical)
    triggers = [
        factories.trigger(macro, Event.MODIFIED, filter=chosen)
        for _ in range(ON_A_TYPE)
    ]
    save = _saving(of)
    save()
    more = []
    for _ in range(rounds * SAVES):
        _switch(triggers, False)
        alone = save()
        _switch(triggers, True)
        more.append((save() - alone) * 1000)
    _switch(triggers, False)
    say(f"one ticket with {ON_A_TYPE} triggers: {median(more):.1f} ms more")
    return median(more)


def _to_receiver(ground: Ground, rounds: int) -> Figure:
    """From the click that saves a ticket to the request that arrives."""
    from macros.models import Event
    from tests import factories

    of = engine.seed(1)
    macro = engine.macro(of, f"{ground.receiver.url}/ok")
    factories.trigger(macro, Event.MODIFIED)
    save = _saving(of)
    seconds = []
    with engine.working(ground.env):
        for _ in range(rounds * 3):
            ground.receiver.reset()
            begun, end = time.time(), time.monotonic() + _PATIENCE
            save()
            while (arrived := ground.receiver.first_arrival()) is None:
                if time.monotonic() > end:
                    raise RuntimeError("What the trigger started did not arrive.")
                time.sleep(_POLL)
            seconds.append(arrived - begun)
    say(f"from a saved ticket to the receiver: {median(seconds):.2f} s")
    return median(seconds)


def _switch(triggers: list[Trigger], is_active: bool) -> None:
    from macros.models import Trigger

    pks = [trigger.pk for trigger in triggers]
    Trigger.objects.filter(pk__in=pks).update(is_active=is_active)


def _saving(of: FeedbackType) -> Callable[[], float]:
    """Saves the type's ticket in the admin with another title; returns how long."""
    from django.test import Client
    from django.urls import reverse

    from tests import factories

    browser = Client(headers={"host": "localhost"})
    browser.force_login(factories.superuser(f"olivia-{of.pk}"))
    ticket = of.tickets.get()
    page = reverse("admin:feedback_feedback_change", args=[ticket.pk])
    return lambda: _saved(browser, page)


def _saved(browser: Client, page: str) -> float:
    form = {
        "title": f"Another title at {time.monotonic()}",
        "visibility": "public",
        "comments-TOTAL_FORMS": "0",
        "comments-INITIAL_FORMS": "0",
    }
    begun = time.monotonic()
    response = browser.post(page, form)
    if response.status_code != 302:
        raise RuntimeError(f"The ticket was not saved: {response.status_code}.")
    return time.monotonic() - begun
