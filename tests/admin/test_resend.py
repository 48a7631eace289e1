"""Resending from a delivery, a run and the log: first the count, then the deed."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from centerhook.receiver import Receiver
from feedback.access.roles import Role
from feedback.models import Feedback
from logs.models import Delivery, Run, Transcript
from macros import deliveries
from tests import factories

pytestmark = pytest.mark.django_db

LOG = reverse("admin:logs_delivery_changelist")


@pytest.fixture
def run(receiver: Receiver) -> Run:
    """Three failed deliveries."""
    bugs = factories.feedback_type()
    factories.tickets(bugs, 3, title="Old title")
    made = factories.run(factories.macro(bugs, f"{receiver.url}/status/404"))
    deliveries.work(made.pk)
    return made


def form_on(html: str, button: str) -> tuple[str, dict[str, Any]]:
    """Where the form with this button goes, and what it carries."""
    form = next(
        part for part in html.split("<form")[1:] if f">{button}</button>" in part
    )
    action = re.search(r'action="([^"]*)"', form)
    pressed = re.search(rf'name="(\w+)" value="(\w+)"[^>]*>{button}</button>', form)
    assert action and pressed, form
    carried: dict[str, Any] = dict(_hidden(form))
    return unescape(action[1]), carried | {pressed[1]: pressed[2]}


def _hidden(form: str) -> list[tuple[str, str]]:
    return re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)


def confirm(page: Client, url: str, confirmation: HttpResponse) -> Any:
    form = confirmation.content.decode().split('<form id="resend"')[1]
    carried: dict[str, list[str]] = {}
    for name, value in _hidden(form):
        carried.setdefault(name, []).append(value)
    return page.post(url, carried, follow=True)


def select(page: Client, kind: str, rows: Any, query: str = "", **more: Any) -> Any:
    pks = [delivery.pk for delivery in rows]
    data = {"action": f"resend_{kind}", "index": "0", "select_across": "0"}
    return page.post(f"{LOG}{query}", {**data, "_selected_action": pks, **more})


def messages(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def text(page: Client, name: str, pk: int) -> str:
    return page.get(reverse(f"admin:logs_{name}_change", args=[pk])).content.decode()


@pytest.mark.parametrize(
    ("button", "title"),
    [("Same request again", "Old title"), ("Build anew", "New title")],
)
def test_one_delivery_from_its_page(
    page: Client, run: Run, receiver: Receiver, button: str, title: str
) -> None:
    delivery = run.deliveries.earliest("pk")
    Feedback.objects.update(title="New title")
    url, data = form_on(text(page, "delivery", delivery.pk), button)

    confirmation = page.post(url, data)

    assert "<strong>1 delivery</strong> will be sent again" in unescape(
        confirmation.content.decode()
    )
    assert Delivery.objects.filter(state="pending").count() == 0, "not yet"
    done = confirm(page, url, confirmation)
    here = reverse("admin:logs_delivery_change", args=[delivery.pk])
    assert done.redirect_chain == [(here, 302)]
    assert messages(done) == [f"1 delivery is sent again: {button.lower()}."]
    deliveries.work(run.pk)
    assert receiver.requests[-1].json() == {"text": title}
    html = text(page, "delivery", delivery.pk)
    assert re.search(rf"<dt>Resent</dt>\s*<dd>{button}, by olivia, <time", html)
    assert "Attempt 2" in html and "Attempt 3" not in html


def test_all_failed_of_a_run_from_its_page(
    page: Client, run: Run, receiver: Receiver
) -> None:
    Delivery.objects.filter(pk=run.deliveries.earliest("pk").pk).update(
        state="delivered"
    )
    Run.objects.update(delivered=1, failed=2)
    html = text(page, "run", run.pk)
    assert "Resend all 2 that failed" in html
    url, data = form_on(html, "Same request again")

    confirmation = page.post(url, data)
    assert "<strong>2 deliveries</strong>" in confirmation.content.decode()
    done = confirm(page, url, confirmation)

    assert done.redirect_chain == [
        (reverse("admin:logs_run_change", args=[run.pk]), 302)
    ]
    assert messages(done) == ["2 deliveries are sent again: same request again."]
    run.refresh_from_db()
    assert (run.state, run.delivered, run.pending) == ("active", 1, 2)
    deliveries.work(run.pk)
    assert len(receiver.requests) == 5
    assert "Cancel this run" not in text(page, "run", run.pk)


def test_a_run_without_failures_offers_no_resend(page: Client) -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    run = factories.run(factories.macro(bugs, "http://127.0.0.1:9/"))
    assert "Resend" not in text(page, "run", run.pk)


def test_all_matching_a_filter_of_the_log_passes_the_selection_not_ids(
    page: Client, run: Run
) -> None:
    assert run.macro is not None
    for _ in range(20):
        deliveries.work(factories.run(run.macro).pk)
    Delivery.objects.filter(run=run).update(state="delivered")
    Run.objects.filter(pk=run.pk).update(delivered=3, failed=0)
    query = "?state__exact=failed"
    first = Delivery.objects.filter(state="failed")[:50]

    confirmation = select(page, "anew", first, query, select_across="1")

    html = confirmation.content.decode()
    assert "<strong>60 deliveries</strong>" in html
    assert html.count('name="_selected_action"') == 1
    done = confirm(page, f"{LOG}{query}", confirmation)
    assert messages(done) == ["60 deliveries are sent again: build anew."]
    assert Delivery.objects.filter(state="pending").count() == 60
    assert set(Run.objects.values_list("state", "failed")) == {
        ("active", 0),
        ("finished", 0),
    }


def test_the_log_offers_both_kinds(page: Client, run: Run) -> None:
    html = page.get(LOG).content.decode()
    for name, label in [
        ("resend_same", "Resend: same request again"),
        ("resend_anew", "Resend: build anew"),
    ]:
        button = html.split(f'name="action" value="{name}">')[1].split("</button>")[0]
        assert button.endswith(label)
    assert "delete_selected" not in html


def test_the_confirmation_says_what_is_left_out_and_why(page: Client, run: Run) -> None:
    masked, sending, good = run.deliveries.order_by("pk")
    Transcript.objects.filter(delivery=masked).update(
        url="https://x.example/?key=••••••"
    )
    Delivery.objects.filter(pk=sending.pk).update(state="pending", lease="a")
    Delivery.objects.filter(pk=good.pk).update(state="delivered")

    html = select(page, "same", run.deliveries.all()).content.decode()

    assert "<strong>1 delivery</strong>" in html
    assert "1 of them was delivered before: the receiver gets it once more" in html
    assert "<td>1</td><td>Being sent now.</td>" in html
    assert (
        "<td>1</td><td>The request held a secret, and logs keep no secrets: build it"
        " anew.</td>" in html
    )


def test_what_cannot_be_resent_says_so_and_has_no_button(
    page: Client, run: Run
) -> None:
    delivery = run.deliveries.earliest("pk")
    Transcript.objects.filter(delivery=delivery).update(request_body="••••••")

    html = text(page, "delivery", delivery.pk)
    assert 'value="resend_same" disabled' in html
    assert "Not possible: the request held a secret" in html
    assert 'value="resend_anew">Build anew' in html

    html = select(page, "same", [delivery]).content.decode()
    assert "Nothing of this can be resent in this way." in html
    assert 'value="Resend"' not in html
    forged = select(page, "same", [delivery], confirmed_count="5")
    assert messages(page.get(forged.url)) == [
        "Nothing was resent: none of these can be by now."
    ]
    delivery.refresh_from_db()
    assert (delivery.state, delivery.resend) == ("failed", "")


def test_a_double_click_resends_once(page: Client, run: Run) -> None:
    url = f"{LOG}?run={run.pk}&state__exact=failed"
    confirmation = select(
        page,
        "anew",
        run.deliveries.all(),
        f"?run={run.pk}&state__exact=failed",
        select_across="1",
    )

    first, second = (confirm(page, url, confirmation) for _ in range(2))

    assert messages(first) == ["3 deliveries are sent again: build anew."]
    assert messages(second) == ["Nothing was resent: none of these can be by now."]
    run.refresh_from_db()
    assert (run.pending, run.failed) == (3, 0)


def test_a_selection_that_grew_is_confirmed_again(page: Client, run: Run) -> None:
    across = {"select_across": "1"}
    confirmation = select(page, "anew", run.deliveries.all(), **across)
    assert run.macro is not None
    deliveries.work(factories.run(run.macro).pk)

    again = confirm(page, LOG, confirmation)

    html = again.content.decode()
    assert "The selection has changed meanwhile" in html
    assert "<strong>6 deliveries</strong>" in html
    assert not Delivery.objects.filter(state="pending").exists()


def test_too_many_are_refused_in_words(
    page: Client, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("macros.runs.resend.MAX_AT_ONCE", 2)
    refused = select(page, "anew", run.deliveries.all())
    [message] = messages(page.get(refused.url))
    assert message.startswith("More than 2 deliveries are selected")
    assert not Delivery.objects.filter(state="pending").exists()


def test_a_forged_post_reaches_no_rows_of_others(run: Run) -> None:
    """Support of another community, and somebody who may only look."""
    strangers = factories.member(factories.feedback_type(), Role.SUPPORT)
    observer = factories.member(run.macro.feedback_type, Role.OBSERVER)
    for person in (strangers, observer):
        client = Client()
        client.force_login(person)
        for across in ("0", "1"):
            select(
                client,
                "anew",
                run.deliveries.all(),
                confirmed_count="9",
                select_across=across,
            )
        run.refresh_from_db()
        assert (run.state, run.failed) == ("finished", 3)


def test_a_get_resends_nothing(page: Client, run: Run) -> None:
    pk = run.deliveries.earliest("pk").pk
    page.get(f"{LOG}?action=resend_anew&_selected_action={pk}&confirmed_count=1")
    assert not Delivery.objects.filter(state="pending").exists()


@pytest.mark.parametrize(("kind", "title"), [("same", "Old title"), ("anew", "New")])
def test_the_confirmation_shows_for_whom_where_to_and_the_first_request(
    page: Client, run: Run, receiver: Receiver, kind: str, title: str
) -> None:
    Feedback.objects.update(title="New")
    labels = [each.subject_label for each in run.deliveries.order_by("pk")]

    html = select(page, kind, run.deliveries.all()).content.decode()

    assert f"<dt>For</dt><dd>{', '.join(labels)}</dd>" in html
    assert f"<dt>To</dt><dd>{receiver.url}</dd>" in html
    assert f"The first of them: {labels[0]}" in html
    assert f"<strong>POST</strong> {receiver.url}/status/404" in html
    assert f'<span class="text">&quot;{title}&quot;</span>' in html
    assert "Webhook-Id" in html


def test_what_would_fail_again_says_so_before_it_does(page: Client, run: Run) -> None:
    snapshot = run.snapshot
    snapshot["steps"][0]["body"] = '{"text": "((External: gone|required))"}'
    Run.objects.filter(pk=run.pk).update(snapshot=snapshot)
    html = select(page, "anew", run.deliveries.all()).content.decode()
    assert "This one would fail again:" in html and "External: gone" in html


def test_the_first_request_of_a_resend_shows_no_secret(
    page: Client, receiver: Receiver
) -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    factories.secret(bugs, "token", value="s3cr3t-value")
    macro = factories.macro(
        bugs, f"{receiver.url}/status/404", headers="Authorization: ((Secret: token))"
    )
    made = factories.run(macro)
    deliveries.work(made.pk)
    for kind in ("same", "anew"):
        html = select(page, kind, made.deliveries.all()).content.decode()
        assert "s3cr3t-value" not in html and "Authorization" in html
