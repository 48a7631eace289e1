"""A ticket and its Jira issue stay in step, over real HTTP in both directions."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import pytest
from django.db import connection
from pytest_django.live_server_helper import LiveServer

from feedback.changes import Change, ChangeKind, Origin, apply, unit
from feedback.models import Feedback, FeedbackType, Status
from logs.models import Delivery, Run
from macros import deliveries
from macros.authoring.new_macros import NewMacro, create_macro
from macros.authoring.presets import all_presets as macro_presets
from macros.authoring.presets import fill
from macros.listeners import work
from macros.listeners.presets import NewPair, all_pairs, create_pair
from macros.listeners.replay import replay
from macros.models import InboundCall, InboundEvent, Listener
from tests import factories

from .standin import OURS, Jira

pytestmark = pytest.mark.django_db(transaction=True)

EMAIL, TOKEN, SECRET = "sync@example.com", "an-api-token", "a-webhook-secret"
STATUSES = (
    "To Do -> New\nIn Progress -> In progress\nIn Review -> In progress\nDone -> Closed"
)


@pytest.fixture
def jira() -> Iterator[Jira]:
    with Jira(EMAIL, TOKEN, SECRET) as running:
        yield running


@pytest.fixture
def bugs() -> FeedbackType:
    bugs = factories.feedback_type()
    Status.objects.create(feedback_type=bugs, name="In progress", position=3)
    factories.secret(bugs, "jira_token", TOKEN)
    factories.secret(bugs, "jira_webhook", SECRET)
    return bugs


@pytest.fixture(autouse=True)
def pair(bugs: FeedbackType, jira: Jira, live_server: LiveServer) -> None:
    new = NewPair(
        all_pairs()["jira"],
        bugs,
        {
            "site": jira.url,
            "email": EMAIL,
            "project": "NW",
            "issue_type": "Bug",
            "severity": "Severity",
            "priorities": "Critical=Highest,Major=High,*=Medium",
        },
        {"statuses": STATUSES, "own_account": OURS},
        {"jira_token": "jira_token", "signing": "jira_webhook"},
    )
    made = create_pair(new, factories.superuser())
    issues, comments = made.listeners
    jira.hooks = {
        "jira:issue_updated": f"{live_server.url}/hooks/{issues.key}/",
        "comment_created": f"{live_server.url}/hooks/{comments.key}/",
    }


def work_on_all() -> None:
    """What the workers do, until nothing is left."""
    for run in Run.objects.order_by("pk"):
        if not run.is_settled:
            deliveries.work(run.pk)
    for listener in Listener.objects.order_by("pk"):
        work.hear(listener.pk)


def submitted(bugs: FeedbackType) -> Feedback:
    ticket = factories.ticket(bugs, title="Map stays grey")
    work_on_all()
    ticket.refresh_from_db()
    return ticket


def outcomes() -> list[str]:
    return list(InboundEvent.objects.order_by("pk").values_list("outcome", flat=True))


def status_of(ticket: Feedback) -> str:
    ticket.refresh_from_db()
    return str(ticket.status)


def test_a_ticket_and_its_issue_stay_in_step(bugs: FeedbackType, jira: Jira) -> None:
    ticket = submitted(bugs)
    assert ticket.external_data["jira_key"] == "NW-41"
    assert jira.issues["NW-41"]["summary"] == "Map stays grey"

    severity = Change(ChangeKind.FIELD, "Critical", "severity")
    with unit(Origin(actor="ada")):
        apply([(ticket.pk, severity)], Origin(actor="ada"))
    work_on_all()
    assert jira.issues["NW-41"]["priority"] == {"name": "Highest"}
    sent = [("POST", "/rest/api/3/issue"), ("PUT", "/rest/api/3/issue/NW-41")]
    assert jira.requests == sent

    assert jira.send(*jira.webhooks) == [200], "nobody hears of what is created"
    work_on_all()
    assert outcomes() == ["ignored"], "the echo of our own edit"
    jira.webhooks.clear()

    for status in ("In Progress", "In Review", "Done"):
        jira.move("NW-41", status)
    jira.comment("NW-41", "Fixed in 2.4, please try again.")
    jira.comment("NW-41", "Which issue is this of?", whole=False)
    jira.assign("NW-41")
    assert jira.send(*jira.webhooks, *jira.webhooks) == [200] * 12
    work_on_all()
    assert status_of(ticket) == "Closed"
    assert [each.text for each in ticket.comments.all()] == [
        "Robin Ives in Jira: Fixed in 2.4, please try again."
    ]
    assert jira.requests == sent, "no request came of what Jira said"
    assert Run.objects.count() == Delivery.objects.count() == 2
    assert not InboundEvent.objects.filter(outcome="failed").exists()
    assert outcomes().count("repeat") == 5 and outcomes().count("no_record") == 2


def test_three_transitions_end_in_the_last_in_whatever_order_they_come(
    bugs: FeedbackType, jira: Jira
) -> None:
    """A ticket for each order, and all at once."""
    orders = list(permutations(range(3)))
    tickets = [submitted(bugs) for _ in orders]
    for ticket, order in zip(tickets, orders, strict=True):
        InboundEvent.objects.all().delete()
        jira.webhooks.clear()
        for status in ("In Progress", "In Review", "Done"):
            jira.move(ticket.external_data["jira_key"], status)
        jira.send(*(jira.webhooks[number] for number in order))
        work_on_all()
        is_newer = [number == max(order[: at + 1]) for at, number in enumerate(order)]
        assert outcomes() == ["acted" if each else "older" for each in is_newer]
        assert status_of(ticket) == "Closed"
    assert len(jira.requests) == len(orders)


def test_what_our_macros_do_in_jira_is_not_heard_as_news(
    bugs: FeedbackType, jira: Jira
) -> None:
    ticket = submitted(bugs)
    jira.webhooks.clear()
    settings = {"site": jira.url, "email": EMAIL, "transition": "41"}
    for name in ("jira-transition", "jira-comment"):
        requests = fill(macro_presets()[name], settings, {"jira_token": "jira_token"})
        new = NewMacro(bugs, name, "", requests)
        factories.run(create_macro(new, factories.superuser(f"of {name}")))
    work_on_all()
    assert jira.issues["NW-41"]["status"] == {"name": "Done"}
    assert [each.event for each in jira.webhooks] == [
        "jira:issue_updated",
        "comment_created",
    ]
    jira.send(*jira.webhooks)
    work_on_all()
    assert outcomes() == ["ignored", "ignored"]
    assert status_of(ticket) == "New" and not ticket.comments.exists()
    assert len(jira.requests) == 3


def test_a_webhook_that_overtakes_the_response_is_found_on_replay(
    bugs: FeedbackType, jira: Jira
) -> None:
    issues = Listener.objects.get(
        record_external="jira_key", names="jira:issue_updated"
    )

    def overtake() -> None:
        jira.move("NW-41", "Done")
        jira.send(jira.webhooks[-1])
        work.hear(issues.pk)
        connection.close()

    jira.before_response = overtake
    ticket = submitted(bugs)
    assert ticket.external_data["jira_key"] == "NW-41"
    [event] = InboundEvent.objects.all()
    assert event.outcome == "no_record"
    assert event.detail == "No ticket has jira_key = NW-41 ($.issue.key)."
    assert status_of(ticket) == "New"

    replay(InboundCall.objects.all(), actor=factories.superuser("rita"))
    work_on_all()
    assert outcomes() == ["no_record", "acted"]
    assert status_of(ticket) == "Closed"
    assert len(jira.requests) == 1
