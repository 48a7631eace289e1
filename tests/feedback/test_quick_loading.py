"""Rows that a worker loads by the thousand are what Django would have loaded."""

from __future__ import annotations

import pytest
from django.db import models
from django.db.models.signals import post_init, pre_init
from django.utils import timezone

from feedback.models import Feedback, FeedbackType, QuickLoading
from feedback.models import Tester as Person
from logs.models import Attempt, Delivery
from tests import factories

pytestmark = pytest.mark.django_db

QUICK = [Feedback, Person, Delivery, Attempt]


@pytest.fixture
def bugs() -> FeedbackType:
    made = factories.feedback_type()
    factories.ticket(made, description="Long", submitter=factories.tester(made))
    factories.run(factories.macro(made, "https://hooks.example/"))
    begun = Attempt.begun(Delivery.objects.get(), timezone.now())
    Attempt.objects.write([begun])
    return made


def usual(row: models.Model, names: list[str]) -> models.Model:
    values = [getattr(row, name) for name in names]
    loaded = models.Model.from_db.__func__(type(row), row._state.db, names, values)
    assert isinstance(loaded, models.Model)
    return loaded


@pytest.mark.parametrize("model", QUICK)
def test_a_loaded_row_is_the_same_as_ever(
    bugs: FeedbackType, model: type[QuickLoading]
) -> None:
    names = [field.attname for field in model._meta.concrete_fields]
    for some in (names, names[:2]):
        row = model.objects.only(*some).earliest("pk")
        expected = usual(row, some)
        for each in (row, expected):
            assert each._state.fields_cache == {}
        state, expected_state = (
            each.__dict__.pop("_state").__dict__ for each in (row, expected)
        )
        # Newer Djangos hand it over with each query, which another test holds.
        state.pop("fetch_mode", None)
        assert row.__dict__ == expected.__dict__
        assert state == expected_state


def test_a_column_left_out_is_read_when_it_is_asked_for(bugs: FeedbackType) -> None:
    row = Feedback.objects.only("title").get()
    assert "description" in row.get_deferred_fields()
    assert row.description == "Long"
    assert row.submitter is not None
    assert row.submitter.community_id == bugs.project.community_id


def test_a_loaded_row_is_saved_as_a_change(bugs: FeedbackType) -> None:
    row = Feedback.objects.get()
    row.title = "Two"
    row.save()
    row.refresh_from_db()
    assert (Feedback.objects.count(), row.title) == (1, "Two")


def test_what_newer_djangos_keep_on_a_row_is_kept() -> None:
    row = Person.from_db("default", ["id"], [1], fetch_mode="peers")
    assert row._state.fetch_mode == "peers"
    assert "fetch_mode" not in vars(Person.from_db("default", ["id"], [1])._state)


def test_an_attempt_is_begun_with_what_its_fields_begin_with(
    bugs: FeedbackType,
) -> None:
    delivery, now = Delivery.objects.get(), timezone.now()
    delivery.attempts = 3
    begun = Attempt.begun(delivery, now)
    made = Attempt(delivery=delivery, number=4, started_at=now)
    for field in Attempt._meta.concrete_fields:
        assert getattr(begun, field.attname) == getattr(made, field.attname)
    assert begun.delivery == delivery


def test_nobody_waits_for_the_signals_that_are_not_sent(bugs: FeedbackType) -> None:
    for signal in (pre_init, post_init):
        assert not any(signal.has_listeners(model) for model in QUICK)


def test_any_of_finds_what_in_finds_with_one_parameter(bugs: FeedbackType) -> None:
    factories.tickets(bugs, 4)
    pks = list(Feedback.objects.order_by("pk").values_list("pk", flat=True))
    some = [*pks[1:3], 987_654_321]
    rows = Feedback.objects.filter(pk__any_of=some).order_by("pk")
    assert list(rows) == list(Feedback.objects.filter(pk__in=some).order_by("pk"))
    assert len(rows.query.sql_with_params()[1]) == 1
    assert not Feedback.objects.filter(pk__any_of=[]).exists()
    assert rows.update(title="Changed") == 2
    assert Feedback.objects.filter(title="Changed").count() == 2
