"""What a click on a million tickets writes beside the deliveries themselves."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from feedback.models import Feedback
from feedback.selection.once import each_once
from logs.models import Cause, Delivery
from macros.runs import start_run
from tests import factories

# The columns of a new delivery that are not yet set, and the states that it is not in.
_NOT_YET = (
    "destination__isnull",
    "resent_at__isnull",
    "attempts__gt",
    "last_error__gt",
)


def _holds_a_new_one(condition: object) -> bool:
    """Whether an index on this condition has an entry for a delivery just made."""
    parts = str(condition)
    return "pending" in parts and not any(name in parts for name in _NOT_YET)


def test_a_new_delivery_enters_three_indexes_and_its_key() -> None:
    names = {
        index.name
        for index in Delivery._meta.indexes
        if index.condition is None or _holds_a_new_one(index.condition)
    }
    subject_indexes = {"delivery_of_ticket", "delivery_of_tester"}  # One of the two.
    assert names == {"delivery_in_run", "delivery_due"}
    assert subject_indexes < {index.name for index in Delivery._meta.indexes}
    assert not [field for field in Delivery._meta.fields if field.db_index]


def test_nothing_is_looked_up_in_other_tables_for_a_new_delivery() -> None:
    constrained = {
        field.name
        for field in Delivery._meta.fields
        if field.remote_field and field.db_constraint
    }
    assert constrained == set()


@pytest.mark.django_db
def test_a_selection_is_not_joined_with_its_own_table() -> None:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 3)
    selected = Feedback.objects.filter(feedback_type__project=bugs.project_id)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        start_run(
            factories.macro(bugs, "http://127.0.0.1:9/"), selected, cause=Cause.ACTION
        )
    [insert] = [
        each["sql"]
        for each in queries
        if each["sql"].startswith("INSERT INTO logs_delivery")
    ]
    assert insert.count('FROM "feedback_feedback"') == 1
    assert Delivery.objects.count() == 3


@pytest.mark.django_db
def test_a_join_that_repeats_rows_or_a_slice_is_named_by_key() -> None:
    bugs = factories.feedback_type()
    first, second, _ = factories.tickets(bugs, 3)
    for _ in range(2):
        factories.Comment.objects.create(feedback=first, text="Black")
    rows = Feedback.objects.all()
    for selection, expected in (
        (rows.filter(comments__text="Black"), {first.pk}),
        (rows.order_by("pk")[:2], {first.pk, second.pk}),
        (rows.filter(comments__text="Black").distinct(), {first.pk}),
    ):
        run = start_run(
            factories.macro(bugs, "http://127.0.0.1:9/"), selection, cause=Cause.ACTION
        )
        made = run.deliveries.values_list("feedback", flat=True)
        assert sorted(made) == sorted(expected)
        assert each_once(selection) is not selection
