"""Lists have the rows that an actor may view, found by what these are reached by."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from feedback.access import actors
from feedback.access.actors import ScopedQuerySet
from feedback.access.keys import KeyActor
from feedback.access.roles import Role
from feedback.models import Feedback, FeedbackType
from tests import factories


@pytest.fixture
def types(db: None) -> list[FeedbackType]:
    """With a ticket each, in two communities."""
    made = [factories.feedback_type() for _ in range(2)]
    for each in made:
        factories.ticket(each)
    return made


def callers(of: FeedbackType) -> dict[str, Any]:
    key, _ = factories.api_key(of.project.community)
    limited, _ = factories.api_key(of.project.community, project=of.project)
    return {
        "superuser": factories.superuser(),
        "observer": factories.member(of, Role.OBSERVER),
        "in the project": factories.member(of, Role.SUPPORT, in_project=True),
        "key": KeyActor(key),
        "key of the project": KeyActor(limited),
        "key of another": KeyActor(
            factories.api_key(factories.feedback_type().project.community)[0]
        ),
    }


@pytest.mark.parametrize("most", [0, 1, 500], ids="at most {}".format)
def test_a_list_has_the_rows_that_are_visible(
    types: list[FeedbackType], monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(actors, "MAX_NAMED", most)
    for name, actor in callers(types[0]).items():
        rows: ScopedQuerySet[Feedback] = Feedback.objects.all()
        visible = set(rows.visible_to(actor))
        assert set(rows.listed_for(actor)) == visible, name
        expected = {"superuser": 2, "key of another": 0}.get(name, 1)
        assert len(visible) == expected, name


def test_a_list_of_tickets_joins_no_table_to_find_them(
    types: list[FeedbackType], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that has to join them can't know how many it will find."""
    monkeypatch.setattr(actors, "MAX_NAMED", 1)
    for name, actor in callers(types[0]).items():
        if name != "key of another":
            sql = str(Feedback.objects.all().listed_for(actor).query)
            assert "JOIN" not in sql, name


def test_whoever_sees_everything_needs_no_look_up(types: list[FeedbackType]) -> None:
    olivia = factories.superuser()
    with CaptureQueriesContext(connection) as queries:
        assert len(Feedback.objects.all().listed_for(olivia)) == 2
    assert len(queries) == 1


def test_rows_that_are_reached_by_one_way_are_looked_up_once(
    types: list[FeedbackType],
) -> None:
    for actor in callers(types[0]).values():
        sql = str(Feedback.objects.visible_to(actor).query)
        assert sql.count("SELECT") <= 1
