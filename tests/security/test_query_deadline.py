"""A page whose queries take too long ends with a sentence, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from html import unescape
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import DatabaseError, OperationalError, connection, transaction
from django.test import Client
from django.urls import reverse

from centerhook.query_deadline import _limited, was_stopped
from feedback.models import FeedbackType, Tester
from logs.models import AuditEntry, Delivery, Run
from macros.models import Macro, MacroVersion
from tests import factories
from tests.api.callers import issue_key, problem, program

_SLOW = {
    "sqlite": "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)"
    " SELECT count(*) FROM c",
    "postgresql": "SELECT pg_sleep(60)",
}
TESTERS = f'FROM "{Tester._meta.db_table}"'


@contextmanager
def slow(*parts: str, after: int = 0) -> Iterator[None]:
    """The database takes for ever for the query with these parts, after so many."""
    seen = 0

    def instead(
        execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        nonlocal seen
        seen += all(part in sql for part in parts)
        if seen <= after:
            return execute(sql, params, many, context)
        return execute(_SLOW[connection.vendor], None, False, context)

    with connection.execute_wrapper(instead):
        yield


@pytest.fixture
def impatient(settings: Any) -> None:
    settings.QUERY_DEADLINE = 0.2


@pytest.fixture
def bugs(transactional_db: None) -> FeedbackType:
    made = factories.feedback_type()
    factories.one_of_everything(made)
    return made


@pytest.fixture
def page(bugs: FeedbackType) -> Client:
    client = Client()
    client.force_login(factories.superuser("olivia"))
    return client


def sentence(response: Any) -> str:
    assert response.status_code == 503
    html = unescape(response.content.decode())
    return html.split('<p class="lead">')[1].split("</p>")[0]


LISTS = [
    *("feedback_feedback", "feedback_tester", "logs_run", "logs_delivery"),
    *("logs_auditentry", "macros_macro", "logs_destination"),
]


def test_a_list_that_takes_too_long_says_how_to_ask_for_less(
    page: Client, impatient: None
) -> None:
    for name in LISTS:
        with slow("COUNT(", f'FROM "{name}"'):
            shown = sentence(page.get(reverse(f"admin:{name}_changelist")))
        assert shown.startswith("The database took longer than 0.2 s for this, so it")
        assert "narrow the filter" in shown and "QUERY_DEADLINE" in shown


def test_the_api_says_it_as_a_problem(bugs: FeedbackType, impatient: None) -> None:
    caller = program(issue_key(bugs))
    for name in ("feedback_feedback", "logs_run", "logs_delivery", "macros_macro"):
        url = f"/api/v1/{name.partition('_')[2]}s/".replace("feedbacks", "feedback")
        url = url.replace("deliverys", "deliveries")
        with slow(f'FROM "{name}"'):
            body = problem(caller.get(url), 503, "took_too_long")
        assert "more conditions" in body["detail"]


def test_afterwards_everything_is_as_before(page: Client, settings: Any) -> None:
    url = reverse("admin:feedback_tester_changelist")
    settings.QUERY_DEADLINE = 0.2
    with slow(TESTERS):
        sentence(page.get(url))
    settings.QUERY_DEADLINE = 30
    assert page.get(url).status_code == 200


def test_what_is_no_page_has_no_limit(page: Client, settings: Any) -> None:
    settings.QUERY_DEADLINE = 0.001
    page.get(reverse("admin:feedback_tester_changelist"))
    long = {
        "sqlite": "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c"
        " WHERE n < 200000) SELECT max(n) FROM c",
        "postgresql": "SELECT max(n), pg_sleep(0.05) FROM generate_series(1, 200000) n",
    }
    with connection.cursor() as cursor:
        cursor.execute(long[connection.vendor])
        assert cursor.fetchone()[0] == 200_000


def test_what_only_reads_gets_no_more_queries_when_its_time_is_over(
    page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0

    def monotonic() -> float:
        nonlocal now
        now += 1.0
        return now

    monkeypatch.setattr("centerhook.query_deadline.monotonic", monotonic)
    url = reverse("admin:feedback_feedback_changelist")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.QUERY_DEADLINE", 8)
        shown = sentence(page.get(url))
        assert shown.startswith("The database took longer than 8 s")
        # What writes has the same time for each query, and as many as it needs.
        form = {"action": f"macro_{Macro.objects.get().pk}", "select_across": "1"}
        ticket = factories.Feedback.objects.get()
        of = f"?type={ticket.feedback_type_id}"
        posted = page.post(url + of, {**form, "_selected_action": ticket.pk})
        assert posted.status_code == 200


def confirmed(page: Client, macro: Macro) -> Any:
    url = reverse("admin:feedback_feedback_changelist")
    ticket = factories.Feedback.objects.get()
    form = {
        "action": f"macro_{macro.pk}",
        "index": "0",
        "select_across": "0",
        "_selected_action": ticket.pk,
        "confirmed_count": "1",
    }
    return page.post(f"{url}?type={ticket.feedback_type_id}", form)


def test_a_run_that_takes_too_long_to_write_is_not_begun(
    page: Client, impatient: None
) -> None:
    macro, runs = Macro.objects.get(), Run.objects.count()
    deliveries = Delivery.objects.count()
    with slow("INSERT INTO", Delivery._meta.db_table):
        assert "was undone" in sentence(confirmed(page, macro))
    assert (Run.objects.count(), Delivery.objects.count()) == (runs, deliveries)


def test_an_import_that_takes_too_long_leaves_nothing(
    page: Client, bugs: FeedbackType, impatient: None
) -> None:
    macros = Macro.objects.count()
    names = "".join(f"- {{name: M {number}}}\n" for number in range(3))
    text = f"centerhook: {{format: 1}}\nuser_macros:\n{names}"
    url = reverse("admin:feedback_project_import", args=[bugs.project_id])
    form = {"text": text, "existing": "refuse", "confirmed": "1"}
    entries = AuditEntry.objects.count()
    with slow(f'INSERT INTO "{MacroVersion._meta.db_table}"', after=1):
        assert "was undone" in sentence(page.post(url, form))
    assert Macro.objects.count() == macros
    assert AuditEntry.objects.count() == entries


def test_an_erasure_that_takes_too_long_says_that_it_is_not_finished(
    page: Client, settings: Any
) -> None:
    tester = Tester.objects.get()
    ticket = factories.Feedback.objects.get()
    Tester.objects.update(phone="+49 30 1234567")
    text = f"{'+' * 60_000}x +49 30 1234567"
    factories.Feedback.objects.update(description=text)
    url = reverse("admin:feedback_tester_erase", args=[tester.pk])
    settings.QUERY_DEADLINE = 0.2
    with slow("SELECT", 'FROM "logs_attempt"', "ORDER BY", "logs_delivery"):
        response: Any = page.post(url, {"email": tester.email})
    assert response["Location"] == reverse(
        "admin:feedback_tester_change", args=[tester.pk]
    )
    settings.QUERY_DEADLINE = 30
    html = page.get(response["Location"]).content.decode()
    assert "The database took too long for a part of it" in html
    assert "The erasure is not finished." in html
    tester.refresh_from_db()
    page.post(url, {"email": tester.email})
    tester.refresh_from_db()
    ticket.refresh_from_db()
    assert (tester.erasure, tester.phone) == ({}, "")
    assert ticket.description == f"{'+' * 60_000}x [erased]"


def test_a_limit_that_a_transaction_took_back_is_set_again(
    transactional_db: None,
) -> None:
    with _limited(0.2, 60), connection.cursor() as cursor:
        with suppress(ZeroDivisionError), transaction.atomic():
            cursor.execute("SELECT 1")
            raise ZeroDivisionError
        with pytest.raises(OperationalError) as stopped:
            cursor.execute(_SLOW[connection.vendor])
    assert was_stopped(stopped.value)


def test_other_faults_of_the_database_are_none_of_it(transactional_db: None) -> None:
    with pytest.raises(DatabaseError) as failed, connection.cursor() as cursor:
        cursor.execute("SELECT no_such_column")
    assert not was_stopped(failed.value)


def test_an_export_that_takes_too_long_for_one_query_ends(
    page: Client, impatient: None
) -> None:
    tester = Tester.objects.exclude(email="").first()
    assert tester
    response: Any = page.get(reverse("admin:feedback_tester_export", args=[tester.pk]))
    with slow('FROM "logs_attempt"'), pytest.raises(OperationalError) as stopped:
        b"".join(response.streaming_content)
    assert was_stopped(stopped.value)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("seconds", "wrong"), [(30.0, False), (1.0, False), (0.9, True)]
)
def test_a_limit_that_stops_ordinary_pages_is_refused(
    settings: Any, seconds: float, wrong: bool
) -> None:
    settings.QUERY_DEADLINE = seconds
    errors = [each for each in run_checks() if each.id == "centerhook.E103"]
    assert len(errors) == wrong
    for each in errors:
        assert "QUERY_DEADLINE is 0.9" in each.msg and each.hint
