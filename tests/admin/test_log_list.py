"""The webhook log: named for what it is narrowed to, filtered, searched, bounded."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback.models import FeedbackType
from logs.admin import log_filters
from logs.models import Cause, Delivery, Run
from macros.models import Macro
from tests import factories

pytestmark = pytest.mark.django_db

LOG = reverse("admin:logs_delivery_changelist")


@pytest.fixture
def bugs() -> FeedbackType:
    made = factories.feedback_type()
    factories.tickets(made, 3)
    return made


@pytest.fixture
def slack(bugs: FeedbackType) -> Macro:
    return factories.macro(bugs, "https://slack.example/", name="Post to Slack")


@pytest.fixture
def runs(bugs: FeedbackType, slack: Macro) -> list[Run]:
    """Three deliveries to Slack, and then three to Jira."""
    jira = factories.macro(bugs, "https://jira.example/", name="Create issue")
    return [factories.run(slack), factories.run(jira)]


def listed(page: Client, **query: object) -> list[str]:
    response = page.get(LOG, query)
    assert response.status_code == 200, query
    rows = response.context["cl"].result_list
    return [f"{row.run_id}:{row}" for row in rows]


def numbers(runs: list[Run], *wanted: int) -> list[str]:
    rows = Delivery.objects.order_by("-pk").select_related("run")
    mine = [runs[each].pk for each in wanted]
    return [f"{row.run_id}:{row}" for row in rows if row.run_id in mine]


def test_it_is_narrowed_by_what_people_ask_for(page: Client, runs: list[Run]) -> None:
    first, second = (run.deliveries.all() for run in runs)
    now = timezone.now()
    first.update(state="failed", last_status=404, last_error="http", finished_at=now)
    second.update(state="failed", last_error="dns", attempts=1)
    Run.objects.filter(pk=runs[0].pk).update(cause=Cause.TRIGGER)
    for query, wanted in (
        ({}, (0, 1)),
        ({"run__macro": runs[0].macro_id}, (0,)),
        ({"run": runs[1].pk}, (1,)),
        ({"cause": "trigger"}, (0,)),
        ({"response": "4"}, (0,)),
        ({"response": "5"}, ()),
        ({"response": "none"}, (1,)),
        ({"last_error": "dns"}, (1,)),
        ({"state__exact": "failed"}, (0, 1)),
        ({"state__exact": "delivered"}, ()),
        ({"finished_at__isnull": "False"}, (0,)),
    ):
        assert listed(page, **query) == numbers(runs, *wanted), query


@pytest.mark.parametrize(
    "query",
    [
        {"run__macro": "x"},
        {"run__macro": "9" * 18},
        {"response": "9"},
        {"response": "4 OR 1"},
        {"cause": "nothing"},
        {"last_error": "\u202e"},
    ],
)
def test_rubbish_finds_nothing_and_breaks_nothing(
    page: Client, runs: list[Run], query: dict[str, str]
) -> None:
    assert listed(page, **query) == []


def test_it_is_searched_by_ticket_macro_and_run(page: Client, runs: list[Run]) -> None:
    reference = runs[0].deliveries.earliest("pk").subject_label
    both = [f"{runs[1].pk}:{reference}", f"{runs[0].pk}:{reference}"]
    assert listed(page, q=reference) == both
    assert listed(page, q=f"  {reference.lower()} ") == both
    assert listed(page, q="slack") == numbers(runs, 0)
    assert listed(page, q=str(runs[1].pk)) == numbers(runs, 1)
    assert listed(page, q="BUG-999999") == []
    assert listed(page, q="%") == []
    runs[0].macro.feedback_type.tickets.all().delete()
    assert listed(page, q=reference) == both, "the ticket is gone, its log is not"


def test_a_search_finds_nothing_of_others(bugs: FeedbackType, runs: list[Run]) -> None:
    reference = runs[0].deliveries.earliest("pk").subject_label
    client = Client()
    client.force_login(factories.member(factories.feedback_type("Other"), "observer"))
    for term in (reference, "slack", str(runs[0].pk)):
        assert listed(client, q=term) == []
    title = client.get(LOG, {"run__macro": runs[0].macro_id}).context["title"]
    assert title == "Webhook log"


def test_its_title_says_whose_it_is(
    page: Client, slack: Macro, runs: list[Run]
) -> None:
    ticket = slack.feedback_type.tickets.earliest("pk")
    for query, title in (
        ({}, "Webhook log"),
        ({"feedback": ticket.pk}, f"Webhook log of {ticket.reference}"),
        ({"run__macro": slack.pk}, "Webhook log of the macro Post to Slack"),
        ({"run": runs[0].pk}, f"Webhook log of run {runs[0].pk}: Post to Slack"),
        ({"run": "x"}, "Webhook log"),
    ):
        response = page.get(LOG, query, follow=True)
        assert response.context["title"] == title


def test_what_has_no_index_looks_through_the_newest_only(
    page: Client, runs: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_filters, "MAX_LOOKED_THROUGH", 4)
    sentence = "look through the newest 4 deliveries"
    shown = page.get(LOG, {"cause": "action"})
    assert sentence in shown.content.decode()
    assert len(shown.context["cl"].result_list) == 4
    for query in (
        {},
        {"run__macro": runs[0].macro_id, "cause": "action"},
        {"state__exact": "failed"},
        {"last_error": "http"},
    ):
        assert sentence not in page.get(LOG, query).content.decode(), query


def test_a_macro_with_many_runs_shows_the_newest_and_says_so(
    page: Client, slack: Macro, runs: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = factories.run(slack)
    monkeypatch.setattr(log_filters, "MAX_RUNS", 1)
    shown = page.get(LOG, {"run__macro": slack.pk})
    assert {row.run_id for row in shown.context["cl"].result_list} == {newest.pk}
    assert "The newest runs of this macro are listed" in shown.content.decode()


def test_a_list_is_never_sorted_as_a_whole(page: Client, runs: list[Run]) -> None:
    for number in range(1, 8):
        assert listed(page, o=number) == numbers(runs, 0, 1)


def test_a_page_reads_no_snapshot(
    page: Client, runs: list[Run], django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(14) as seen:
        page.get(LOG, {"run__macro": runs[0].macro_id})
    assert not any('"snapshot"' in query["sql"] for query in seen)


def test_a_tickets_page_shows_its_last_deliveries(
    page: Client, bugs: FeedbackType, slack: Macro, runs: list[Run]
) -> None:
    ticket = bugs.tickets.earliest("pk")
    for _ in range(5):
        factories.run(slack)
    url = reverse("admin:feedback_feedback_change", args=[ticket.pk])
    html = page.get(url).content.decode()
    mine = list(Delivery.objects.filter(feedback=ticket).order_by("-pk"))
    links = [reverse("admin:logs_delivery_change", args=[each.pk]) for each in mine]
    assert all(link in html for link in links[:5]) and links[5] not in html
    assert f'href="{LOG}?feedback={ticket.pk}">All deliveries' in html


def test_a_ticket_without_deliveries_says_what_goes_there(
    page: Client, bugs: FeedbackType
) -> None:
    url = reverse("admin:feedback_feedback_change", args=[bugs.tickets.first().pk])
    assert "Nothing was sent yet." in page.get(url).content.decode()
