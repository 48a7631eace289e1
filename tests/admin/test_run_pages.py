"""A run's page, its progress, and the log below it."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from centerhook.receiver import Receiver
from logs.models import BreakerState, Delivery, Destination, Run
from macros import deliveries
from macros.steps.rendering import Plan
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(receiver: Receiver) -> Run:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 2, title="<script>alert(1)</script>")
    macro = factories.macro(
        bugs,
        f"{receiver.url}/status/401",
        headers="Authorization: Basic aHVudGVyMjpodW50ZXIy",
        name="Post to Slack",
    )
    return factories.run(macro)


def text(page: Client, name: str, *args: object) -> str:
    response = page.get(reverse(f"admin:{name}", args=args))
    assert response.status_code == 200
    return response.content.decode()


def test_progress_counts_outcomes_until_the_run_is_settled(
    page: Client, run: Run
) -> None:
    url = reverse("admin:logs_run_progress", args=[run.pk])
    before = page.get(url).json()
    deliveries.work(run.pk)
    after = page.get(url).json()

    assert not before["settled"] and "0 of 2 deliveries ended" in before["html"]
    assert after["settled"] and "2 of 2 deliveries ended" in after["html"]
    assert '<strong>2</strong> <span class="badge bad">Failed</span>' in after["html"]
    for delivery in run.deliveries.all():
        link = reverse("admin:logs_delivery_change", args=[delivery.pk])
        assert link in after["html"]


def test_watching_a_run_compiles_nothing_and_decrypts_nothing(
    page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    bugs = factories.feedback_type()
    factories.secret(bugs, "key")
    headers = "Authorization: Bearer ((Secret: key))"
    macro = factories.macro(bugs, "https://down.example/a", headers=headers)
    factories.ticket(bugs)
    one = factories.run(macro)
    factories.tickets(bugs, 30)
    many = factories.run(macro)
    Destination.objects.create(
        community=bugs.project.community,
        origin="https://down.example:443",
        breaker=BreakerState.OPEN,
        consecutive_failures=12,
    )

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("a run's page shows what is kept on the run")

    monkeypatch.setattr("macros.crypto.decrypt", forbidden)
    monkeypatch.setattr("macros.steps.rendering.compile_step", forbidden)
    monkeypatch.setattr(Plan, "from_snapshot", forbidden)

    text(page, "logs_run_change", one.pk)  # What is looked up once is not counted.
    for name in ("logs_run_change", "logs_run_progress"):
        queries = []
        for run in (one, many):
            with CaptureQueriesContext(connection) as seen:
                html = text(page, name, run.pk)
            assert "failed 12 times in a row" in html
            queries.append(len(seen))
        # A short run is asked for its later states too, to fill the page.
        assert queries[1] <= queries[0] <= 12
        columns = [query["sql"].partition(" WHERE ")[0] for query in seen]
        assert not any('"snapshot"' in each for each in columns)


def test_a_run_whose_destination_a_ticket_decides_names_none(page: Client) -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    run = factories.run(factories.macro(bugs, "https://((Title)).example/"))
    Destination.objects.create(
        community=bugs.project.community,
        origin="https://down.example:443",
        is_paused=True,
    )
    assert run.origins == []
    assert "down.example" not in text(page, "logs_run_change", run.pk)


def test_a_run_can_be_cancelled_from_its_page(page: Client, run: Run) -> None:
    assert "Cancel this run" in text(page, "logs_run_change", run.pk)
    page.get(reverse("admin:logs_run_cancel", args=[run.pk]))
    run.refresh_from_db()
    assert run.state == "active", "a link alone must not cancel"

    page.post(reverse("admin:logs_run_cancel", args=[run.pk]))

    run.refresh_from_db()
    assert (run.state, run.cancelled) == ("cancelled", 2)
    assert "Cancel this run" not in text(page, "logs_run_change", run.pk)


def test_a_delivery_shows_request_response_and_what_it_means(
    page: Client, run: Run
) -> None:
    deliveries.work(run.pk)
    delivery = Delivery.objects.first()
    assert delivery is not None

    html = text(page, "logs_delivery_change", delivery.pk)

    assert (
        "401: the system did not accept the credentials; check the Authorization"
        " header." in html
    )
    assert "Authorization</th><td>Basic ••••••</td>" in html and "aHVudGVy" not in html
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_the_log_is_read_only(page: Client, run: Run) -> None:
    deliveries.work(run.pk)
    delivery = run.deliveries.first()
    assert delivery is not None
    for name, pk in [("run", run.pk), ("delivery", delivery.pk)]:
        change = reverse(f"admin:logs_{name}_change", args=[pk])
        delete = reverse(f"admin:logs_{name}_delete", args=[pk])
        add = reverse(f"admin:logs_{name}_add")
        assert page.post(change, {"state": "finished"}).status_code == 403
        assert page.post(delete, {"post": "yes"}).status_code == 403
        assert page.get(add).status_code == 403


def test_ticket_and_macro_lead_to_their_webhook_log(page: Client, run: Run) -> None:
    ticket = run.macro.feedback_type.tickets.first()
    log = reverse("admin:logs_delivery_changelist")

    on_ticket = text(page, "feedback_feedback_change", ticket.pk)
    on_macro = text(page, "macros_macro_change", run.macro_id)

    assert f'href="{log}?feedback={ticket.pk}">Webhook log' in on_ticket
    assert f'href="{log}?run__macro={run.macro_id}">Webhook log' in on_macro
    listed = page.get(f"{log}?feedback={ticket.pk}").content.decode()
    assert "1 delivery" in listed and ticket.reference in listed
    assert (
        "2 deliveries" in page.get(f"{log}?run__macro={run.macro_id}").content.decode()
    )


def test_the_log_of_a_deleted_ticket_can_still_be_read(page: Client, run: Run) -> None:
    delivery = run.deliveries.first()
    assert delivery is not None
    run.macro.feedback_type.tickets.all().delete()

    html = text(page, "logs_delivery_change", delivery.pk)

    assert f"{delivery.subject_label} (deleted since)" in html
    assert delivery.subject_label in text(page, "logs_delivery_changelist")


def test_the_lists_cost_the_same_for_many_rows(
    page: Client, run: Run, django_assert_max_num_queries: object
) -> None:
    factories.tickets(run.macro.feedback_type, 40)
    for _ in range(3):
        factories.run(run.macro)
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        text(page, "logs_delivery_changelist")
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        text(page, "logs_run_changelist")
