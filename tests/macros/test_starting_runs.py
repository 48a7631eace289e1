"""start_run: all rows in one transaction, exactly what was selected, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count, QuerySet
from django.db.models.signals import post_init
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from feedback.models import Comment, Feedback, FeedbackType
from logs.models import AuditEntry, Cause, Delivery, Run
from macros.config import note_version
from macros.models import Macro
from macros.runs import RunRefused, start_run
from macros.steps.kinds.web_request import WebRequest
from tests import factories

KEY = "0123456789abcdef0123456789abcdef"


def start(macro: Macro, subjects: QuerySet[Feedback], **options: Any) -> Run:
    return start_run(macro, subjects, cause=Cause.ACTION, **options)


def refusal(macro: Macro, subjects: QuerySet[Feedback], **options: Any) -> str:
    """Why the run was refused; nothing may have been written."""
    before = (Run.objects.count(), Delivery.objects.count())
    with pytest.raises(RunRefused) as refused:
        start(macro, subjects, **options)
    assert (Run.objects.count(), Delivery.objects.count()) == before
    return str(refused.value)


def subjects_of(run: Run) -> list[str]:
    return list(run.deliveries.order_by("pk").values_list("subject_label", flat=True))


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def macro(bugs: FeedbackType) -> Macro:
    return factories.macro(bugs, "https://a.example/", name="Post", ladder="5 s")


def test_a_run_says_what_was_started_by_whom_on_what(
    bugs: FeedbackType, macro: Macro
) -> None:
    olivia = factories.superuser()
    tickets = factories.tickets(bugs, 2)

    run = start(
        macro, Feedback.objects.all(), actor=olivia, key=KEY, selection="open: Open"
    )

    row = Run.objects.values().get()
    started = row.pop("created_at")
    snapshot = row.pop("snapshot")
    assert row == {
        "id": run.pk,
        "key": KEY,
        "community_id": bugs.project.community_id,
        "project_id": bugs.project_id,
        "macro_id": macro.pk,
        "macro_version": 1,
        "origins": ["https://a.example:443"],
        "left_out": 0,
        "macro_name": "Post",
        "cause": "action",
        "cause_name": "",
        "trigger_id": None,
        "schedule_id": None,
        "listener_id": None,
        "event_id": None,
        "chain": [],
        "scheduled_for": None,
        "asked_at": None,
        "actor_id": olivia.pk,
        "actor_name": "olivia",
        "selection": "open: Open",
        "fingerprint": "",
        "state": "active",
        "total": 2,
        "delivered": 0,
        "problems": 0,
        "failed": 0,
        "skipped": 0,
        "cancelled": 0,
        "finished_at": None,
    }
    assert (snapshot["macro"], snapshot["retry_ladder"]) == ("Post", "5 s")
    [step] = snapshot["steps"]
    assert step == WebRequest.objects.get().snapshot()
    assert (step["url"], step["body"]) == (
        "https://a.example/",
        '{"text": "((Title))"}',
    )
    columns = ("run", "feedback", "subject_label", "step", "state", "attempts")
    more = ("next_attempt_at", "lease", "last_status", "last_error", "finished_at")
    assert list(Delivery.objects.order_by("pk").values_list(*columns, *more)) == [
        (run.pk, each.pk, each.reference, 0, "pending", 0, started, "", None, "", None)
        for each in tickets
    ]


def test_the_audit_log_says_that_the_macro_ran(
    bugs: FeedbackType, macro: Macro
) -> None:
    factories.tickets(bugs, 2)
    run = start(macro, Feedback.objects.all(), actor=factories.superuser())
    entry = AuditEntry.objects.get(action="ran")
    assert (entry.object_type, entry.object_id) == ("macros.macro", macro.pk)
    assert (entry.actor_name, entry.run) == ("olivia", run)
    assert entry.detail == "2 deliveries. Perform Action."


def test_later_steps_wait(bugs: FeedbackType) -> None:
    factories.tickets(bugs, 2)
    run = factories.run(
        factories.macro(bugs, "https://a.example/", "https://b.example/")
    )
    rows = run.deliveries.order_by("pk").values_list("subject_label", "step", "state")
    assert list(rows) == [
        ("BUG-1", 0, "pending"),
        ("BUG-2", 0, "pending"),
        ("BUG-1", 1, "waiting"),
        ("BUG-2", 1, "waiting"),
    ]
    assert run.total == 4
    assert not run.deliveries.filter(step=1, next_attempt_at__isnull=False).exists()


def test_the_same_key_is_the_same_run(bugs: FeedbackType, macro: Macro) -> None:
    factories.ticket(bugs)
    first = start(macro, Feedback.objects.all(), key=KEY)
    factories.ticket(bugs)
    second = start(macro, Feedback.objects.all(), key=KEY)
    assert (second.pk, second.total, subjects_of(second)) == (first.pk, 1, ["BUG-1"])
    other = start(macro, Feedback.objects.all())
    assert (other.total, Run.objects.count()) == (2, 2)


@pytest.mark.django_db(transaction=True)
def test_clicks_at_the_same_moment_make_one_run() -> None:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 3)
    pk = factories.macro(bugs, "https://a.example/").pk

    def click(_: int) -> int:
        try:
            return start(Macro.objects.get(pk=pk), Feedback.objects.all(), key=KEY).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        runs = set(pool.map(click, range(6)))

    assert len(runs) == 1
    assert (Run.objects.count(), Delivery.objects.count()) == (1, 3)


def test_a_key_of_another_macros_run_is_refused(
    bugs: FeedbackType, macro: Macro
) -> None:
    factories.ticket(bugs)
    start(macro, Feedback.objects.all(), key=KEY)
    other = factories.macro(bugs, "https://a.example/")
    assert refusal(other, Feedback.objects.all(), key=KEY) == (
        "This key was used for a run of another macro."
    )


def test_a_macro_that_is_off_is_refused(bugs: FeedbackType, macro: Macro) -> None:
    factories.ticket(bugs)
    macro.is_active = False
    macro.save()
    assert refusal(macro, Feedback.objects.all()) == (
        "The macro Post is off. Switch it on to run it."
    )


def test_a_macro_without_a_step_is_refused(bugs: FeedbackType) -> None:
    factories.ticket(bugs)
    assert refusal(factories.macro(bugs, name="Empty"), Feedback.objects.all()) == (
        "The macro Empty has no step. Add one to run it."
    )


def test_a_selection_without_a_ticket_of_the_type_is_refused(
    bugs: FeedbackType, macro: Macro
) -> None:
    factories.ticket(factories.feedback_type("Idea", "IDEA"))
    factories.ticket(bugs, title="Not selected")
    message = "No ticket of Phone Beta: Bug Report is selected, so nothing was sent."
    assert refusal(macro, Feedback.objects.none()) == message
    assert refusal(macro, Feedback.objects.filter(title="No such")) == message
    assert refusal(macro, Feedback.objects.exclude(feedback_type=bugs)) == message


def test_a_macro_whose_field_was_removed_is_refused_with_the_place(
    bugs: FeedbackType,
) -> None:
    factories.ticket(bugs)
    macro = factories.macro(
        bugs, "https://a.example/", name="Old", body='{"a":\n "((Field: Severity))"}'
    )
    bugs.form_fields.filter(key="severity").delete()
    message = refusal(macro, Feedback.objects.all())
    assert message.startswith(
        "The macro Old can't run. Line 2, column 3: unknown tag ((Field: Severity))."
    )


def test_what_changes_after_the_click_changes_the_run_no_more(
    bugs: FeedbackType, macro: Macro
) -> None:
    kept, changed, deleted = factories.tickets(bugs, 3, title="Chosen")
    run = start(macro, Feedback.objects.filter(title="Chosen"))
    factories.ticket(bugs, title="Chosen")
    Feedback.objects.filter(pk=changed.pk).update(title="Not any more")
    deleted.delete()
    WebRequest.objects.all().delete()
    run.refresh_from_db()
    assert (run.total, subjects_of(run)) == (3, ["BUG-1", "BUG-2", "BUG-3"])
    assert len(run.snapshot["steps"]) == 1


def test_tickets_of_other_types_in_the_selection_are_left_out(
    bugs: FeedbackType, macro: Macro
) -> None:
    factories.ticket(factories.feedback_type("Idea", "IDEA"))
    factories.ticket(bugs)
    assert subjects_of(start(macro, Feedback.objects.all())) == ["BUG-1"]


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        (lambda rows: rows.order_by("pk")[:2], ["BUG-1", "BUG-2"]),
        (lambda rows: rows.order_by("-title", "-pk")[1:3], ["BUG-2", "BUG-3"]),
        (lambda rows: rows.order_by("-title"), ["BUG-1", "BUG-2", "BUG-3", "BUG-4"]),
        (lambda rows: rows.distinct().order_by("title")[:1], ["BUG-1"]),
        (lambda rows: rows.filter(comments__text="Me too"), ["BUG-1", "BUG-3"]),
        (
            lambda rows: rows.filter(comments__text="Me too").distinct(),
            ["BUG-1", "BUG-3"],
        ),
        (
            lambda rows: rows.annotate(count=Count("comments")).filter(count=2),
            ["BUG-3"],
        ),
        (lambda rows: rows.select_related("status").defer("title"), None),
        (lambda rows: rows.filter(form_values__severity='50% "off"'), ["BUG-2"]),
        (lambda rows: rows.filter(title__icontains="50%"), ["BUG-2"]),
        (lambda rows: rows.filter(status__is_open=True, title="A"), ["BUG-1"]),
        (
            lambda rows: rows.filter(title="A") | rows.filter(title="D"),
            ["BUG-1", "BUG-4"],
        ),
        (lambda rows: rows.exclude(pk__in=rows.filter(title="A")), None),
    ],
)
def test_any_queryset_is_a_selection_and_names_each_ticket_once(
    bugs: FeedbackType, macro: Macro, select: Any, expected: list[str] | None
) -> None:
    a, _, c, _ = (
        factories.ticket(
            bugs,
            title=title,
            form_values={"severity": '50% "off"'} if "%" in title else {},
        )
        for title in ("A", "B 50%", "C", "D")
    )
    for ticket in (a, c, c):
        Comment.objects.create(feedback=ticket, text="Me too")
    rows = select(Feedback.objects.all())
    if expected is None:
        expected = sorted({ticket.reference for ticket in rows})

    run = start(macro, rows)

    assert sorted(subjects_of(run)) == expected
    assert run.total == len(expected)


def test_a_macro_saved_while_it_is_frozen_is_frozen_again(
    bugs: FeedbackType, macro: Macro
) -> None:
    """Else the run would carry the number of a version that it is not."""
    factories.ticket(bugs)
    note_version(macro)
    reads = 0

    def save_between(execute: Any, sql: str, *rest: Any) -> Any:
        """Somebody saves after the version was looked up, before the steps are read."""
        nonlocal reads
        if sql.startswith("SELECT") and 'FROM "macros_step"' in sql:
            reads += 1
            if reads == 2:
                WebRequest.objects.update(url="https://new.example/")
                note_version(macro)
        return execute(sql, *rest)

    with connection.execute_wrapper(save_between):
        run = start(macro, Feedback.objects.all())

    assert run.macro_version == 2
    assert [step["url"] for step in run.snapshot["steps"]] == ["https://new.example/"]
    assert run.origins == ["https://new.example:443"]


@contextmanager
def counting_tickets() -> Iterator[list[Feedback]]:
    made: list[Feedback] = []

    def count(instance: Feedback, **_: Any) -> None:
        made.append(instance)

    post_init.connect(count, sender=Feedback)
    try:
        yield made
    finally:
        post_init.disconnect(count, sender=Feedback)


def test_two_thousand_tickets_cost_as_many_queries_as_ten_and_load_none(
    bugs: FeedbackType, macro: Macro
) -> None:
    factories.tickets(bugs, 10, title="Few")
    factories.tickets(bugs, 2000, title="Many")
    queries = {}
    for title, total in (("Few", 10), ("Many", 2000)):
        fresh = Macro.objects.get(pk=macro.pk)
        with counting_tickets() as loaded, CaptureQueriesContext(connection) as seen:
            run = start(fresh, Feedback.objects.filter(title=title))
        assert (run.total, run.deliveries.count(), loaded) == (total, total, [])
        queries[title] = [query["sql"].split()[0] for query in seen]
    assert queries["Many"] == queries["Few"]


@pytest.mark.parametrize("owner", ["feedback_type", "project", "community"])
def test_nothing_is_run_on_what_is_being_deleted(
    bugs: FeedbackType, owner: str
) -> None:
    factories.ticket(bugs)
    macro = factories.macro(bugs, "https://example.com/")
    row = getattr(macro, owner)
    type(row).objects.filter(pk=row.pk).update(deleting_since=timezone.now())
    macro = Macro.objects.get(pk=macro.pk)
    with pytest.raises(RunRefused, match=f"{row} is being deleted"):
        factories.run(macro)
    assert not Run.objects.exists()
