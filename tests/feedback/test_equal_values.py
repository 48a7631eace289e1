"""When a value that is written is equal to the one that is stored, so is no change."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from feedback import changes
from feedback.models import Feedback, FeedbackType
from tests import factories
from tests.listeners import Heard, heard

__all__ = ["heard"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


VALUES: list[tuple[object, object, bool]] = [
    (1, 1, False),
    (1, True, True),
    (0, False, True),
    (1, "1", True),
    (1, Decimal("1.5"), True),
    (Decimal("1.50"), 1.5, False),
    (None, "", True),
    ([1], [True], True),
    ([1, {"a": None}], [1, {"a": None}], False),
    ({"a": 1}, {"a": 1, "b": None}, True),
    ("a\nb", "a\r\nb", True),
]


@pytest.mark.parametrize(("stored", "given", "differs"), VALUES)
def test_values_of_other_systems_differ_by_their_types(
    bugs: FeedbackType, heard: Heard, stored: Any, given: Any, differs: bool
) -> None:
    ticket = factories.ticket(bugs, external_data={"key": stored})
    heard.clear()
    changes.write(Feedback, {ticket.pk: {"external_data": {"key": given}}})
    assert [change.after for _, change in heard.changes] == (
        [{"external_key": given}] if differs else []
    )


ANSWERS: list[tuple[dict[str, object], dict[str, object], list[str]]] = [
    ({}, {"page": "", "platform": [], "impact": None}, []),
    ({"page": ""}, {}, []),
    ({}, {"reproducible": False}, ["field_reproducible"]),
    ({"reproducible": False}, {"reproducible": False}, []),
    ({"impact": 1}, {"impact": True}, ["field_impact"]),
    ({"steps": "a\r\nb"}, {"steps": "a\nb"}, []),
    ({"impact": 1}, {}, ["field_impact"]),
]


@pytest.mark.parametrize(("stored", "given", "fields"), ANSWERS)
def test_a_blank_answer_is_none(
    bugs: FeedbackType,
    heard: Heard,
    stored: dict[str, object],
    given: dict[str, object],
    fields: list[str],
) -> None:
    ticket = factories.ticket(bugs)
    Feedback._base_manager.update(form_values=stored)
    heard.clear()
    ticket.form_values = given
    ticket.save()
    assert [change.fields for _, change in heard.changes] == (
        [fields] if fields else []
    )
