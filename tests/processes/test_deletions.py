"""What a delivery is about is deleted while its request is on the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from feedback.models import Community, Feedback
from logs.models import Attempt, Delivery, Run
from macros.deliveries import Engine
from macros.models import Macro
from tests import factories
from tests.http.hostile import OK, Peer, Server, always
from tests.processes.conftest import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def deleting(model: Any, pk: int) -> Callable[[Peer], None]:
    """Deletes a row when the request has come, then responds."""

    def behave(peer: Peer) -> None:
        peer.request()
        try:
            model.objects.filter(pk=pk).delete()
        finally:
            connection.close()
        peer.say(OK)

    return behave


@pytest.mark.parametrize("model", [Feedback, Macro, Run, Community])
def test_a_deletion_in_flight_is_recorded_or_dropped_and_stops_nobody(
    serve: Callable[..., Server], model: Any
) -> None:
    bugs, others = factories.feedback_type(), factories.feedback_type()
    ticket = factories.ticket(bugs)
    factories.tickets(others, 5)
    destination = serve(lambda peer: behave(peer))
    macro = factories.macro(bugs, destination.url("/"))
    run = factories.run(macro)
    other = factories.run(factories.macro(others, serve(always(OK)).url("/")))
    pks = {Feedback: ticket.pk, Macro: macro.pk, Run: run.pk}
    behave = deleting(model, pks.get(model, bugs.project.community_id))

    engine = Engine()
    engine.start()
    engine.notify(run.pk)
    wait_until(lambda: not model.objects.filter(pk=pks.get(model, run.community_id)))
    engine.notify(other.pk)
    wait_until(lambda: Run.objects.get(pk=other.pk).is_settled)
    engine.stop()
    engine.join()

    other.refresh_from_db()
    assert (other.state, other.delivered) == ("finished", 5)
    states = list(Delivery.objects.filter(run=run.pk).values_list("state", flat=True))
    statuses = list(Attempt.objects.filter(delivery__run=run.pk).values_list("status"))
    if model in (Run, Community):
        assert (states, statuses) == ([], [])
    else:
        run.refresh_from_db()
        assert (states, statuses, run.state) == (["delivered"], [(200,)], "finished")
    assert len(destination.requests) == 1
