"""What goes by age, beside clocks that disagree."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from feedback.models import FeedbackType
from logs.models import Delivery, RetentionCursor, Run, RunState
from logs.retention import Tier, go_on, steps, whole_pass
from logs.retention.of_runs import Bodies
from macros.retention import TIERS
from tests import factories
from tests.logs import aged

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def some_steps(bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch) -> Tier:
    """A tier with one row for each step, none of which may go yet."""
    monkeypatch.setattr(Bodies, "most", 2)
    monkeypatch.setattr(steps, "REST", -1)
    run = aged.run(bugs, 100, tickets=3)
    Run.objects.filter(pk=run.pk).update(state=RunState.PAUSED)
    return next(each for each in TIERS if each.name == "bodies")


def test_a_pass_that_a_clock_ends_is_not_begun_anew(some_steps: Tier) -> None:
    """Not even where the clock is ahead of whoever began it."""
    now = timezone.now()
    looked_at = []
    for _, step in whole_pass([some_steps], now):
        looked_at.append(step.looked_at)
        assert len(looked_at) < 5, "it begins again and again"
        go_on([some_steps], now + timedelta(minutes=1))
    assert looked_at == [1, 0]


def test_a_clock_that_is_behind_ends_the_pass_that_it_begins(
    some_steps: Tier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "BUDGET", 0)
    now = timezone.now()
    list(whole_pass([some_steps], now + timedelta(minutes=1)))
    RetentionCursor.objects.filter(tier="bodies").update(begun_at=None)
    positions = []
    for _ in range(4):
        go_on([some_steps], now)
        cursor = RetentionCursor.objects.get(tier="bodies")
        positions.append(cursor.position)
    pks = Delivery.objects.order_by("pk").values_list("pk", flat=True)
    assert positions == [*pks, 0]
