"""Who may look up, what is refused by name, and how often one may guess."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from feedback.models import ApiKey, FeedbackType, LookupMiss, RecordLookup
from feedback.models.lookups import MAX_CALLERS, MISSES_AN_HOUR, OTHERS
from feedback.sources.members import KEY_PARAMETER
from tests import factories
from tests.api.callers import issue_key, problem, program
from tests.lookups.test_values import url_of

NOON = datetime(2026, 11, 26, 12, 15, 30, tzinfo=UTC)


@pytest.fixture
def lookup(bugs: FeedbackType) -> RecordLookup:
    factories.ticket(bugs)
    return factories.lookup(bugs, "reference", name="Status")


def test_a_key_is_taken_from_each_place_but_the_url(
    bugs: FeedbackType, lookup: RecordLookup
) -> None:
    token = issue_key(bugs, scope_run=False, scope_data=True)
    basic = b64encode(f"anybody:{token}".encode()).decode()
    url = url_of(lookup, "BUG-1")
    for headers in (
        {"HTTP_AUTHORIZATION": f"Bearer {token}"},
        {"HTTP_AUTHORIZATION": f"Basic {basic}"},
        {"HTTP_X_API_KEY": token},
    ):
        response = APIClient().get(url, **headers)
        assert response.json() == {"reference": "BUG-1"}
    # Logs keep URLs.
    in_url = problem(APIClient().get(f"{url}&{KEY_PARAMETER}={token}"), 400, "invalid")
    assert in_url["errors"][0]["parameter"] == KEY_PARAMETER
    refused = APIClient().get(url)
    message = problem(refused, 401, "not_authenticated")
    assert "the scope 'data'" in message["detail"]
    assert refused["WWW-Authenticate"].startswith("Basic realm=")
    problem(
        APIClient().get(url, HTTP_AUTHORIZATION="Digest x"), 401, "not_authenticated"
    )
    wrong = APIClient().get(url, HTTP_X_API_KEY="ch_0")
    problem(wrong, 401, "invalid_key")


def test_a_key_without_the_scope_or_for_another_place_is_refused(
    bugs: FeedbackType, lookup: RecordLookup
) -> None:
    url = url_of(lookup, "BUG-1")
    scopes = ("read", "write", "run", "listener", "secrets")
    every = dict.fromkeys([f"scope_{scope}" for scope in scopes], True)
    message = problem(program(issue_key(bugs, **every)).get(url), 403, "missing_scope")
    assert "'data'" in message["detail"]
    others = factories.feedback_type("Ideas", "IDEA")
    stranger = program(issue_key(others, scope_data=True))
    mine = problem(stranger.get(url), 404, "not_found")
    unknown = stranger.get(f"/lookups/{lookup.community_id}/none/?reference=BUG-1")
    assert problem(unknown, 404, "not_found")["detail"] == mine["detail"]
    community = bugs.project.community
    project = community.projects.create(name="Watch Beta")
    key = {"scope_data": True, "project": project}
    narrow = program(issue_key(bugs, name="Watch", **key))
    problem(narrow.get(url), 404, "not_found")


def test_one_that_is_off_or_locked_says_so(
    bugs: FeedbackType, lookup: RecordLookup
) -> None:
    caller = program(issue_key(bugs, scope_data=True))
    RecordLookup.objects.update(is_active=False)
    problem(caller.get(url_of(lookup, "BUG-1")), 410, "lookup_off")
    RecordLookup.objects.update(is_active=True)
    ApiKey.objects.update(is_enabled=False)
    olivia = APIClient()
    olivia.force_login(factories.superuser())
    message = problem(olivia.get(url_of(lookup, "BUG-1")), 403, "locked")
    assert message["detail"].startswith("Record lookups are locked: the community")


def test_one_that_is_being_deleted_with_its_owner_is_not_there(
    caller: APIClient, bugs: FeedbackType, lookup: RecordLookup
) -> None:
    type(bugs).objects.update(deleting_since=timezone.now())
    problem(caller.get(url_of(lookup, "BUG-1")), 404, "not_found")


def test_a_field_that_is_gone_is_named(
    caller: APIClient, bugs: FeedbackType, lookup: RecordLookup
) -> None:
    broken = factories.lookup(bugs, "reference", "field_severity")
    bugs.form_fields.filter(key="severity").delete()
    message = problem(caller.get(url_of(broken, "BUG-1")), 409, "lookup_broken")
    assert "field_severity" in message["detail"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("", "reference"),
        ("reference=", "reference"),
        ("reference=%20", "reference"),
        ("reference=a&reference=b", "reference"),
        ("reference=a%00b", "reference"),
        (f"reference={'x' * 501}", "reference"),
        ("id=1", "id"),
        ("reference=BUG-1&Format=csv", "Format"),
        ("reference=BUG-1&format=xml", "format"),
        ("reference=BUG-1&format=csv&format=xml", "format"),
    ],
)
def test_what_is_wrong_is_named(
    caller: APIClient, lookup: RecordLookup, query: str, parameter: str
) -> None:
    message = problem(caller.get(f"{url_of(lookup)}{query}"), 400, "invalid")
    assert message["errors"][0]["parameter"] == parameter
    assert not LookupMiss.objects.exists()


@pytest.mark.parametrize(
    "value",
    ["BUG-99", "bug", "%ff%fe", "BUG-\u0661", "'; DROP", "%F0%9F%98%80", "BUG-1%0a"],
)
def test_rubbish_is_no_record(
    caller: APIClient, lookup: RecordLookup, value: str
) -> None:
    is_spaced = value == "BUG-1%0a"  # What stands around a value is not part of it.
    response = caller.get(url_of(lookup, value))
    assert response.status_code == (200 if is_spaced else 404)


@pytest.mark.parametrize("value", ["9" * 18, "9" * 19, "-1", "1.0", "\u0661", "BUG-1"])
def test_an_id_is_a_number_that_a_database_can_hold(
    caller: APIClient, bugs: FeedbackType, value: str
) -> None:
    lookup = factories.lookup(bugs, found_by="id")
    problem(caller.get(url_of(lookup, value)), 404, "record_not_found")


def test_nothing_but_reading_is_possible(
    caller: APIClient, lookup: RecordLookup
) -> None:
    for method in ("post", "put", "patch", "delete", "options"):
        response = getattr(caller, method)(url_of(lookup, "BUG-1"))
        problem(response, 405, "method_not_allowed")
    head = caller.head(url_of(lookup, "BUG-1"))
    assert (head.status_code, head.content) == (200, b"")
    assert caller.get("/lookups/").status_code == 404


def miss(lookup: RecordLookup, caller: str, count: int) -> None:
    community = lookup.community
    LookupMiss.objects.note(community, caller, timezone.now())
    LookupMiss.objects.filter(caller=caller).update(count=count)


def name_of(token: str) -> str:
    key = ApiKey.objects.named_by(token)
    assert key is not None
    return f"key {key.pk} 127.0.0.1"


@time_machine.travel(NOON, tick=False)
def test_whoever_guesses_is_held_until_the_next_hour(
    bugs: FeedbackType, lookup: RecordLookup
) -> None:
    token = issue_key(bugs, scope_data=True)
    guesser = program(token)
    problem(guesser.get(url_of(lookup, "BUG-2")), 404, "record_not_found")
    assert LookupMiss.objects.get().caller == name_of(token)
    miss(lookup, name_of(token), MISSES_AN_HOUR - 1)
    problem(guesser.get(url_of(lookup, "BUG-2")), 404, "record_not_found")
    # Else a hit would tell it from a miss.
    for value in ("BUG-1", "BUG-2"):
        response = guesser.get(url_of(lookup, value))
        problem(response, 429, "too_many_misses")
        assert response["Retry-After"] == str(44 * 60 + 30)
    with time_machine.travel(NOON.replace(hour=13), tick=False):
        assert guesser.get(url_of(lookup, "BUG-1")).status_code == 200


def test_nobody_is_held_for_what_others_guess(
    bugs: FeedbackType, lookup: RecordLookup
) -> None:
    guesser, honest = (
        issue_key(bugs, name=name, scope_data=True) for name in ("Guesser", "Honest")
    )
    miss(lookup, name_of(guesser), MISSES_AN_HOUR)
    url = url_of(lookup, "BUG-1")
    problem(program(guesser).get(url), 429, "too_many_misses")
    assert program(honest).get(url).status_code == 200
    elsewhere = program(guesser, REMOTE_ADDR="203.0.113.7")
    assert elsewhere.get(url).status_code == 200


def test_hits_are_not_counted(caller: APIClient, lookup: RecordLookup) -> None:
    for _ in range(3):
        assert caller.get(url_of(lookup, "BUG-1")).status_code == 200
    assert not LookupMiss.objects.exists()


def test_callers_beyond_the_most_are_counted_together(
    bugs: FeedbackType, lookup: RecordLookup
) -> None:
    now, community = timezone.now(), lookup.community
    hour = now.replace(minute=0, second=0, microsecond=0)
    LookupMiss.objects.bulk_create(
        LookupMiss(community=community, caller=f"key 0 {number}", hour=hour, count=1)
        for number in range(MAX_CALLERS)
    )
    misses: Any = LookupMiss.objects
    for caller in ("key 1 a", "key 1 b", "key 0 1"):
        misses.note(community, caller, now)
    assert LookupMiss.objects.count() == MAX_CALLERS + 1
    assert LookupMiss.objects.get(caller=OTHERS).count == 2
    assert misses.misses_of(community, "key 1 c", now) == 2
    assert misses.misses_of(community, "key 0 1", now) == 2
    other = factories.feedback_type("Ideas", "IDEA").project.community
    assert misses.misses_of(other, "key 0 1", now) == 0


@time_machine.travel(NOON, tick=False)
def test_misses_of_past_hours_are_not_kept(
    bugs: FeedbackType, lookup: RecordLookup
) -> None:
    miss(lookup, "key 1 a", 5)
    with time_machine.travel(NOON.replace(hour=14), tick=False):
        LookupMiss.objects.note(lookup.community, "key 1 b", timezone.now())
    assert [each.caller for each in LookupMiss.objects.all()] == ["key 1 b"]
