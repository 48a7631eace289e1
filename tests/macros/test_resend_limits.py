"""What a resend takes: an API key where a web request goes out, and not too much."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from logs.models import Delivery, Resend, Run
from macros.runs.resend import ResendRefused, preview_resend, resend
from tests import factories
from tests.macros.resending import GONE, a_macro, finish

pytestmark = pytest.mark.django_db


@pytest.fixture
def olivia() -> User:
    return factories.superuser()


def locked_run(*steps: dict[str, Any]) -> Run:
    """A run that failed, in a community without a valid API key."""
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    run = factories.run(factories.steps(factories.macro(bugs), *steps))
    finish(run, *[("failed", "render") for _ in steps])
    run.community.api_keys.update(is_enabled=False)
    return run


def test_changes_are_made_again_without_an_api_key(olivia: User) -> None:
    locked_run({"kind": "change_status", "status": "Closed"})
    assert resend(Delivery.objects.all(), Resend.ANEW, olivia).count == 1


def test_a_step_of_a_kind_that_is_gone_counts_as_a_web_request(olivia: User) -> None:
    run = locked_run({"kind": "change_status", "status": "Closed"})
    run.snapshot["steps"][0]["kind"] = "from_a_newer_version"
    run.save(update_fields=["snapshot"])
    with pytest.raises(ResendRefused, match="has no valid API key"):
        resend(Delivery.objects.all(), Resend.ANEW, olivia)


def test_a_run_of_a_newer_version_counts_as_a_web_request(olivia: User) -> None:
    run = locked_run({"kind": "change_status", "status": "Closed"})
    run.snapshot["format"] = 999
    run.save(update_fields=["snapshot"])
    with pytest.raises(ResendRefused, match="has no valid API key"):
        resend(Delivery.objects.all(), Resend.ANEW, olivia)


def test_the_preview_counts_what_was_delivered_before(olivia: User) -> None:
    run = factories.run(a_macro(GONE, tickets=3))
    finish(run, ("delivered", ""), ("delivered", ""), ("failed", "dns"))
    preview = preview_resend(run.deliveries.all(), Resend.ANEW, olivia)
    assert (preview.count, preview.delivered, preview.blockers) == (3, 2, {})


def test_as_many_as_allowed_are_resent(
    olivia: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = factories.run(a_macro(GONE, tickets=3))
    finish(run, *[("failed", "dns")] * 3)
    monkeypatch.setattr("macros.runs.resend.MAX_AT_ONCE", 3)
    assert resend(Delivery.objects.all(), Resend.ANEW, olivia).count == 3
