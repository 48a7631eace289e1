"""`manage.py retention`: all of it at once, or what it would be."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from centerhook import installation
from feedback.models import FeedbackType, Mode
from logs.models import Attempt, RetentionPolicy
from tests import factories
from tests.logs import aged

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


def lines(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("retention", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_a_dry_run_counts_by_community_and_deletes_nothing(bugs: FeedbackType) -> None:
    ideas = factories.feedback_type()
    RetentionPolicy.objects.create(community=ideas.project.community, attempts_days=10)
    aged.run(bugs, 400, tickets=3)
    aged.run(ideas, 20, tickets=2)
    text = lines("--dry-run")
    at = text.index(
        next(line for line in text if line.startswith("Attempts: 5, about"))
    )
    assert text[at + 1].startswith(f"  {bugs.project.community}: 3, about ")
    assert text[at + 2].startswith(f"  {ideas.project.community}: 2, about ")
    assert "Deliveries: none" in text
    assert text[-1].startswith("In all: ") and "Nothing was deleted." in text[-1]
    assert Attempt.objects.count() == 5


def test_all_goes_at_once_and_says_how_much(bugs: FeedbackType) -> None:
    aged.run(bugs, 400, tickets=3)
    aged.run(bugs, 1, tickets=1)
    assert "Attempts: 3 deleted of 7" in lines()
    assert Attempt.objects.count() == 4
    assert "Attempts: 0 deleted of 4" in lines()


@pytest.mark.parametrize("mode", ["paused", "read-only"])
def test_nothing_goes_while_the_installation_rests(
    bugs: FeedbackType, settings: Any, mode: str
) -> None:
    aged.run(bugs, 400)
    settings.MODE = mode
    with pytest.raises(CommandError, match="paused or read-only"):
        lines()
    assert "Nothing was deleted." in lines("--dry-run")[-1]
    assert Attempt.objects.count() == 1


def test_a_pause_in_the_middle_of_it_holds(bugs: FeedbackType) -> None:
    class Out(StringIO):
        def write(self, text: str) -> int:
            installation.set_mode(Mode.PAUSED, "olivia")
            return super().write(text)

    aged.run(bugs, 400, tickets=3)
    out = Out()
    with pytest.raises(CommandError, match="paused or read-only by now, so this"):
        call_command("retention", stdout=out)
    assert out.getvalue() == "Requests and responses: 3 deleted of 3\n"
    assert Attempt.objects.count() == 3


def test_nonsense_is_refused_by_a_sentence(bugs: FeedbackType, settings: Any) -> None:
    settings.BODIES_KEPT_DAYS = 0
    with pytest.raises(CommandError, match="BODIES_KEPT_DAYS is 0"):
        lines()
