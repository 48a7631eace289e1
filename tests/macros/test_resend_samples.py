"""What a resend shows before anybody clicks: the first request that goes out again."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from logs.models import Attempt, Resend, Run
from macros.runs.resend_sample import ResendSample, sample_of
from macros.steps import mail
from tests import factories
from tests.macros.resending import GONE, a_macro, finish

pytestmark = pytest.mark.django_db


@pytest.fixture
def olivia() -> User:
    return factories.superuser()


def the_sample(run: Run, kind: Resend, actor: User) -> ResendSample:
    sample = sample_of(run.deliveries.all(), kind, actor)
    assert sample is not None
    return sample


@pytest.mark.parametrize(
    ("method", "title"), [("POST", "Request"), (mail.METHOD, "E-mail")]
)
def test_what_the_log_has_is_shown_as_what_it_was(
    olivia: User, method: str, title: str
) -> None:
    run = factories.run(a_macro(GONE))
    finish(run, ("failed", "dns"))
    Attempt.objects.update(method=method)
    assert the_sample(run, Resend.SAME, olivia).request.title == title


def test_a_value_that_is_missing_is_said_in_place_of_the_request(olivia: User) -> None:
    run = factories.run(a_macro(GONE, body='"((External: key|required))"'))
    finish(run, ("failed", "render"))
    sample = the_sample(run, Resend.ANEW, olivia)
    assert sample.request.error == (
        "The tag ((External: key)) has no value, and the template requires one."
    )


def test_a_template_that_nobody_can_read_is_said_in_place_of_the_request(
    olivia: User,
) -> None:
    """An older version had tags that are gone."""
    run = factories.run(a_macro(GONE))
    finish(run, ("failed", "dns"))
    run.snapshot["steps"][0]["body"] = "((Gone))"
    run.save(update_fields=["snapshot"])
    assert "Gone" in the_sample(run, Resend.ANEW, olivia).request.error
