"""A tester's external data, set by a return value, leads to the next macro."""

from __future__ import annotations

import pytest

from centerhook.receiver import Receiver
from feedback.models import Tester as Person
from feedback.sources.testers import bring
from logs.models import Run
from macros import deliveries
from macros.models import Event
from tests import factories

pytestmark = pytest.mark.django_db


def work() -> None:
    for run in Run.objects.filter(state="active"):
        deliveries.work(run.pk)


def test_a_bad_address_starts_the_letter_when_it_is_known_to_be_bad(
    receiver: Receiver, mailoutbox: list[object]
) -> None:
    community = factories.feedback_type().project.community
    returned = {
        **{"name": "address_valid", "source": "json", "type": "boolean"},
        **{"expression": "$.validation_results.is_valid", "when": "success"},
        "required": True,
    }
    url = f"{receiver.url}/shippo/addresses/"
    checks = factories.macro(community, url, return_values=[returned])
    factories.trigger(checks, Event.TESTER_ADDED)
    bad = {"field": "external_address_valid", "qualifier": "is", "value": "false"}
    letter = factories.steps(
        factories.macro(community),
        {"kind": "send_email", "to": "((Email))", "subject": "Address", "body": "?"},
    )
    factories.trigger(
        letter,
        Event.TESTER_CHANGED,
        filter=factories.saved_filter(community, bad),
        only_new_matches=True,
        follows_automation=True,
    )
    rows = [{"email": f"t{number}@example.com"} for number in range(4)]
    bring(community, rows, "a test")
    assert Run.objects.get().total == 4

    work()

    people = Person.objects.all()
    wrong = [each for each in people if not each.external_data["address_valid"]]
    assert len(wrong) == 2
    runs = letter.runs.all()
    assert sorted(
        each.tester_id or 0 for run in runs for each in run.deliveries.all()
    ) == sorted(each.pk for each in wrong)
    bring(community, [{"email": wrong[0].email, "city": "Rome"}], "a test")
    assert sum(run.total for run in letter.runs.all()) == 2, "it matched before"
