"""The main job through real parts: browser's requests, queue, worker, HTTP, log."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from centerhook.receiver import Receiver
from feedback.models import Feedback
from logs.models import Run, delivery_id
from tests import factories
from tests.admin.test_perform_action import LIST, hidden_inputs
from tests.processes.conftest import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]


def test_filter_select_all_confirm_deliver_and_read_the_log(
    start: Callable[..., Any], receiver: Receiver
) -> None:
    factories.superuser("olivia")
    bugs = factories.feedback_type()
    factories.tickets(bugs, 70, form_values={"severity": "Minor"})
    factories.tickets(bugs, 120, form_values={"severity": "Critical"})
    macro = factories.macro(
        bugs, f"{receiver.url}/slack", body='{"text": "((Reference)) ((Title))"}'
    )
    start("worker")
    start("clock")
    page = Client()
    page.post("/admin/login/", {"username": "olivia", "password": "secret-word"})
    url = f"{LIST}?type={bugs.pk}&open=true&field_severity=Critical"
    assert "120 tickets" in page.get(url).content.decode()

    shown = Feedback.objects.filter(form_values__severity="Critical")[:50]
    action = {
        "action": f"macro_{macro.pk}",
        "index": "0",
        "select_across": "1",
        "_selected_action": [ticket.pk for ticket in shown],
    }
    to_run = page.post(url, hidden_inputs(page.post(url, action)))
    run = Run.objects.get()
    progress = reverse("admin:logs_run_progress", args=[run.pk])
    wait_until(lambda: page.get(progress).json()["settled"])

    run.refresh_from_db()
    assert (run.state, run.delivered) == ("finished", 120)
    sent = {delivery_id(run.key, each.pk): each for each in run.deliveries.all()}
    assert receiver.ids == dict.fromkeys(sent, 1)
    for request in receiver.requests:
        expected = f"{sent[request.delivery_id].subject_label} It breaks"
        assert json.loads(request.body) == {"text": expected}
    assert "120 of 120 deliveries ended" in page.get(to_run.url).content.decode()
    log = reverse("admin:logs_delivery_changelist")
    assert "120 deliveries" in page.get(f"{log}?run={run.pk}").content.decode()
    one = reverse("admin:logs_delivery_change", args=[run.deliveries.first().pk])
    assert "200: the system accepted the request." in page.get(one).content.decode()
