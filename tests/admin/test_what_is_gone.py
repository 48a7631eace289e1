"""Pages and programs whose parts are kept no longer say so in a sentence."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime

from feedback.models import FeedbackType
from logs.models import Delivery, Run
from logs.retention import gone_deliveries, whole_pass
from macros.models import InboundCall
from macros.retention import TIERS
from tests import factories
from tests.logs import aged


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def olivia(db: None) -> Client:
    client = Client()
    client.force_login(factories.superuser())
    return client


def all_at_once() -> None:
    list(whole_pass(TIERS, timezone.now()))


def page(client: Client, row: Any) -> str:
    meta = row._meta
    url = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def gone(days: int, since: Any) -> str:
    went = localtime(since + timedelta(days=days))
    return f"Kept for {days} days; gone since {date_format(went, 'j M Y')}."


def read(client: Client, delivery: Delivery) -> dict[str, Any]:
    url = reverse("api:delivery-detail", args=[delivery.pk])
    data: dict[str, Any] = client.get(url).json()
    return data


def test_a_delivery_without_its_attempts(bugs: FeedbackType, olivia: Client) -> None:
    delivery = aged.run(bugs, 400).deliveries.get()
    assert read(olivia, delivery)["gone"] == ""
    all_at_once()
    delivery.refresh_from_db()
    sentence = f"1 try is no longer kept. {gone(365, delivery.finished_at)}"
    assert sentence in page(olivia, delivery)
    data = read(olivia, delivery)
    assert (data["attempt_log"], data["gone"]) == ([], sentence)


def test_an_attempt_without_its_texts(bugs: FeedbackType, olivia: Client) -> None:
    delivery = aged.run(bugs, 100).deliveries.get()
    assert read(olivia, delivery)["attempt_log"][0]["gone"] == ""
    all_at_once()
    attempt = delivery.attempt_log.get()
    why = gone(90, attempt.started_at)
    sentence = f"The request and the response are no longer kept. {why}"
    assert f"POST request. {sentence}" in page(olivia, delivery)
    data = read(olivia, delivery)
    [shown] = data["attempt_log"]
    assert (data["gone"], shown["gone"], shown["url"]) == ("", sentence, "")
    url = reverse("api:attempt-detail", args=[attempt.pk])
    assert olivia.get(url).json()["gone"] == sentence


@pytest.mark.parametrize(("days", "anew"), [(100, True), (400, True), (1, False)])
def test_what_is_gone_can_only_be_built_anew(
    bugs: FeedbackType, olivia: Client, days: int, anew: bool
) -> None:
    delivery = aged.run(bugs, days).deliveries.get()
    all_at_once()
    why = "the request is no longer kept: build it anew"
    assert (why in page(olivia, delivery)) is anew
    url = reverse("api:delivery-resend", args=[delivery.pk])
    response = olivia.post(url, {"kind": "same"}, "application/json")
    assert response.status_code == (409 if anew else 200)
    if anew:
        assert response.json()["detail"] == f"It was not sent again: {why}."
        response = olivia.post(url, {"kind": "anew"}, "application/json")
        assert response.status_code == 200


def test_days_that_were_raised_since_say_no_date(
    bugs: FeedbackType, olivia: Client, settings: Any
) -> None:
    delivery = aged.run(bugs, 400).deliveries.get()
    all_at_once()
    settings.ATTEMPTS_KEPT_DAYS = 500
    assert "1 try is no longer kept.</p>" in page(olivia, delivery)


def test_a_run_whose_deliveries_go(bugs: FeedbackType, olivia: Client) -> None:
    run = aged.run(bugs, 800, tickets=3)
    all_at_once()
    assert not Run.objects.exists()
    run.save()
    factories.tickets(bugs)
    Delivery.objects.bulk_create(
        Delivery(run=run, feedback=each, step=0, state="delivered", subject_label="x")
        for each in bugs.tickets.all()[:1]
    )
    sentence = f"2 deliveries are no longer kept. {gone(730, run.finished_at)}"
    assert sentence in page(olivia, run)


@pytest.mark.parametrize(
    ("total", "left", "words"),
    [
        (10, 0, "10 deliveries are no longer kept. Kept for 730 days"),
        (10, 3, "7 deliveries are no longer kept. Kept for 730 days"),
        (4, 3, "1 delivery is no longer kept. Kept for 730 days"),
        (10, 5, "Of 10 deliveries 3 and more are still kept; others may be gone."),
        (4, 4, ""),
    ],
)
def test_however_many_are_gone_it_says_no_wrong_number(
    bugs: FeedbackType,
    monkeypatch: pytest.MonkeyPatch,
    total: int,
    left: int,
    words: str,
) -> None:
    monkeypatch.setattr("logs.retention.words.MAX_COUNTED", 3)
    run = aged.run(bugs, 800, tickets=left or 1)
    run.total = total
    if not left:
        Delivery.objects.all().delete()
    sentence = gone_deliveries(run)
    assert sentence.startswith(words) and bool(sentence) == bool(words)


def test_a_run_whose_call_is_gone(bugs: FeedbackType, olivia: Client) -> None:
    listener = factories.listener(bugs)
    call = factories.inbound_call(listener, received_at=aged.ago(40))
    event = factories.inbound_event(call, "acted", created_at=aged.ago(40))
    run = aged.run(bugs, 40, cause="listener", listener=listener, event=event)
    assert f"call {call.pk}" in page(olivia, run)
    all_at_once()
    assert not InboundCall.objects.exists()
    assert "the call is kept no longer" in page(olivia, run)


@pytest.mark.parametrize("of", ["run", "delivery"])
def test_what_is_gone_whole_is_not_found(
    bugs: FeedbackType, olivia: Client, of: str
) -> None:
    run = aged.run(bugs, 800)
    row: Any = run if of == "run" else run.deliveries.get()
    url = reverse(f"admin:logs_{of}_change", args=[row.pk])
    route = reverse(f"api:{of}-detail", args=[row.pk])
    all_at_once()
    response = olivia.get(url)
    assert response.status_code == 404 and b"kept no longer" in response.content
    assert olivia.get(route).status_code == 404
