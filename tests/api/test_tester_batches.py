"""Testers from outside: added and changed by e-mail, many in one call."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from feedback.access.roles import Role
from feedback.models import FeedbackType, StoredResponse
from feedback.models import Tester as Person
from feedback.models.responses import KEPT
from feedback.sources.testers import MAX_TESTERS
from logs.models import AuditEntry, Run
from logs.privacy import erase_tester
from tests import factories
from tests.api.callers import issue_key, person, problem, program
from tests.api.test_anything import json_values, texts

BATCH = "/api/v1/testers/batch/"
ADA = {
    "email": "ada@example.com",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "phone": "+44 20 7946 0000",
    "company": "Analytical Engines",
    "street1": "12 St James's Square",
    "street2": "Flat 1",
    "city": "London",
    "region": "England",
    "postal_code": "SW1Y 4LE",
    "country": "gb",
    "external_data": {"CRM ID": 17, "vip": True},
}


@pytest.fixture
def writer(bugs: FeedbackType) -> APIClient:
    return program(issue_key(bugs, scope_write=True))


def bring(caller: APIClient, *rows: Any, **options: Any) -> dict[str, Any]:
    response = caller.post(BATCH, {"testers": rows, **options})
    assert response.status_code == 200, response.json()
    body: dict[str, Any] = response.json()
    return body


def outcomes(body: dict[str, Any]) -> list[str]:
    return [each["outcome"] for each in body["results"]]


def people() -> list[tuple[str, str]]:
    return sorted(Person.objects.values_list("email", "first_name"))


def test_a_tester_is_added_with_profile_address_and_external_data(
    writer: APIClient,
) -> None:
    body = bring(writer, ADA)
    ada = Person.objects.get()
    result = {"index": 0, "outcome": "created", "id": ada.pk, "errors": []}
    counts = {"created": 1, "updated": 0, "unchanged": 0, "refused": 0}
    assert body == {**counts, "results": [result]}
    for name in Person.PROFILE:
        expected = "GB" if name == "country" else ADA[name]
        assert getattr(ada, name) == expected
    assert ada.external_data == {"crm_id": 17, "vip": True}
    origin = ada.external_provenance["crm_id"]["source"]
    assert origin.startswith("API key Nightly sync")


def test_a_known_tester_is_changed_by_what_is_given(writer: APIClient) -> None:
    bring(writer, ADA)
    new = {"email": "ADA@Example.com", "city": "", "external_data": {"vip": None}}
    assert outcomes(bring(writer, new)) == ["updated"]
    ada = Person.objects.get()
    assert (ada.email, ada.first_name, ada.city) == ("ada@example.com", "Ada", "")
    assert ada.external_data == {"crm_id": 17}
    assert set(ada.external_provenance) == {"crm_id"}


def test_the_same_again_changes_nothing_and_is_not_on_the_audit_log(
    writer: APIClient,
) -> None:
    bring(writer, ADA)
    before = list(Person.objects.values())
    assert AuditEntry.objects.get(object_type="feedback.tester").action == "created"
    for same in (ADA, {"email": "ada@example.com"}):
        assert outcomes(bring(writer, same)) == ["unchanged"]
    assert list(Person.objects.values()) == before
    assert AuditEntry.objects.filter(object_type="feedback.tester").count() == 1


def test_a_row_at_fault_is_refused_with_its_members_and_the_others_are_written(
    writer: APIClient,
) -> None:
    rows: list[Any] = [
        ADA,
        {"emial": "x@example.com", "postal_code": "x" * 21},
        {"email": "no address", "country": "Germany", "external_data": []},
        5,
        None,
        {"email": "Ada@example.com"},
        {"email": "bea@example.com", "First Name": "Bea", "postal_code": 10115},
        {"email": "cid@example.com", "first_name": ["Cid"], "Email": "x"},
    ]
    body = bring(writer, *rows)
    assert outcomes(body) == [
        *("created", "refused", "refused", "refused"),
        *("refused", "refused", "created", "refused"),
    ]
    assert (body["created"], body["refused"]) == (2, 6)
    at_fault = [
        [fault["pointer"].removeprefix("#/testers/") for fault in each["errors"]]
        for each in body["results"]
    ]
    assert at_fault == [
        [],
        ["1/emial", "1/email", "1/postal_code"],
        ["2/email", "2/country", "2/external_data"],
        ["3"],
        ["4"],
        ["5/email"],
        [],
        ["7/Email", "7/first_name"],
    ]
    hint = body["results"][1]["errors"][0]["detail"]
    assert hint == "There is no such member. Did you mean 'email'?"
    second = body["results"][5]["errors"][0]["detail"]
    assert second == "The same e-mail address is in #/testers/0."
    assert people() == [("ada@example.com", "Ada"), ("bea@example.com", "Bea")]
    assert Person.objects.get(first_name="Bea").postal_code == "10115"


def test_all_or_nothing_writes_nothing_with_a_row_at_fault(writer: APIClient) -> None:
    sent = {"testers": [ADA, {"email": "x"}, {}], "all_or_nothing": True}
    faults = problem(writer.post(BATCH, sent), 400, "invalid")["errors"]
    pointers = [each["pointer"] for each in faults]
    assert pointers == ["#/testers/1/email", "#/testers/2/email"]
    assert not Person.objects.exists()
    assert outcomes(bring(writer, ADA, all_or_nothing=True)) == ["created"]


def test_external_data_that_grows_too_long_is_refused(writer: APIClient) -> None:
    half = {f"a{number}": "x" * 4_000 for number in range(10)}
    more = {f"b{number}": "x" * 4_000 for number in range(10)}
    bring(writer, {"email": "ada@example.com", "external_data": half})
    body = bring(
        writer,
        {"email": "ada@example.com", "external_data": more, "city": "Rome"},
        {"email": "bea@example.com", "external_data": half | more},
    )
    assert outcomes(body) == ["refused", "refused"]
    assert Person.objects.get().city == ""


def test_others_and_the_erased_are_never_touched(
    writer: APIClient, bugs: FeedbackType
) -> None:
    theirs = factories.tester(factories.feedback_type("Ideas", "IDEA"), ADA["email"])
    erased = factories.tester(bugs, "gone@example.com")
    erase_tester(erased, None)
    before = list(Person.objects.order_by("pk").values())
    placeholder = Person.objects.get(pk=erased.pk).email
    body = bring(writer, ADA, {"email": "gone@example.com"}, {"email": placeholder})
    assert outcomes(body) == ["created", "created", "refused"]
    assert list(Person.objects.order_by("pk").values())[:2] == before
    other = {"testers": [ADA], "community": theirs.community_id}
    [fault] = problem(writer.post(BATCH, other), 400, "invalid")["errors"]
    assert fault["pointer"] == "#/community"


def test_a_batch_is_one_run_of_a_trigger(writer: APIClient, bugs: FeedbackType) -> None:
    bring(writer, ADA)
    community = bugs.project.community
    for event in ("tester_added", "tester_changed"):
        macro = factories.macro(community, "https://example.com/")
        factories.trigger(macro, event)
    rows = [{"email": f"t{number}@example.com"} for number in range(20)]
    bring(writer, *rows, {"email": ADA["email"], "city": "Paris"})
    assert sorted(Run.objects.values_list("total", flat=True)) == [1, 20]


def test_a_thousand_are_written_in_some_statements(writer: APIClient) -> None:
    def statements(rows: list[dict[str, Any]]) -> int:
        with CaptureQueriesContext(connection) as asked:
            bring(writer, *rows)
        # A batch of rows, or of what became of them, is a statement of its own.
        return sum("INSERT" not in each["sql"] for each in asked)

    def rows(first: int, count: int, **values: Any) -> list[dict[str, Any]]:
        numbers = range(first, first + count)
        return [{"email": f"t{n}@example.com", **values} for n in numbers]

    bring(writer, ADA)
    few = statements(rows(0, 5))
    many = statements(rows(100, MAX_TESTERS))
    assert many <= few + 5
    few = statements(rows(0, 5, city="Rome"))
    many = statements(rows(100, MAX_TESTERS, city="Rome", external_data={"a": 1}))
    assert many <= few + 5
    assert Person.objects.filter(city="Rome").count() == MAX_TESTERS + 5


def test_more_than_a_thousand_are_refused_before_any(writer: APIClient) -> None:
    rows = [{"email": f"t{number}@example.com"} for number in range(MAX_TESTERS + 1)]
    [fault] = problem(writer.post(BATCH, {"testers": rows}), 400, "invalid")["errors"]
    assert fault["pointer"] == "#/testers" and "1000" in fault["detail"]
    assert not Person.objects.exists()


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({}, "#/testers"),
        ({"testers": []}, "#/testers"),
        ({"testers": {"email": "x"}}, "#/testers"),
        ({"testers": [ADA], "all_or_nothing": "yes"}, "#/all_or_nothing"),
        ({"testers": [ADA], "all_or_nothing": 1}, "#/all_or_nothing"),
        ({"testers": [ADA], "community": "1"}, "#/community"),
        ({"testers": [ADA], "dry_run": True}, "#/dry_run"),
    ],
)
def test_a_call_of_another_form_is_refused(
    writer: APIClient, sent: dict[str, Any], pointer: str
) -> None:
    [fault] = problem(writer.post(BATCH, sent), 400, "invalid")["errors"]
    assert fault["pointer"] == pointer
    assert not Person.objects.exists()


def test_a_key_needs_the_scope_write_and_the_whole_community(
    caller: APIClient, bugs: FeedbackType
) -> None:
    sent = {"testers": [ADA]}
    assert (
        "'write'" in problem(caller.post(BATCH, sent), 403, "missing_scope")["detail"]
    )
    narrow = issue_key(bugs, name="Narrow", project=bugs.project, scope_write=True)
    refused = program(narrow).post(BATCH, sent)
    assert "one project" in problem(refused, 403, "permission_denied")["detail"]
    assert not Person.objects.exists()


def test_a_manager_names_the_community_and_others_may_not(bugs: FeedbackType) -> None:
    manager = person(factories.member(bugs, Role.COMMUNITY_MANAGER, "mia"))
    [fault] = problem(manager.post(BATCH, {"testers": [ADA]}), 400, "invalid")["errors"]
    assert fault["pointer"] == "#/community"
    assert outcomes(bring(manager, ADA, community=bugs.project.community_id)) == [
        "created"
    ]
    theirs = factories.feedback_type("Ideas", "IDEA").project.community_id
    refused = manager.post(BATCH, {"testers": [ADA], "community": theirs})
    problem(refused, 400, "invalid")
    support = person(factories.member(bugs, Role.SUPPORT, "sam"))
    problem(support.post(BATCH, {"testers": [ADA]}), 403, "permission_denied")


def test_the_same_key_gives_the_same_response(writer: APIClient) -> None:
    headers = {"idempotency-key": "import-1"}
    sent = {"testers": [ADA, {"email": "x"}]}
    first = writer.post(BATCH, sent, headers=headers).json()
    Person.objects.update(city="Elsewhere")
    again = writer.post(BATCH, sent, headers=headers)
    assert again.status_code == 200 and again.json() == first
    assert Person.objects.get().city == "Elsewhere"
    other = {"testers": [ADA]}
    problem(writer.post(BATCH, other, headers=headers), 422, "idempotency_key_reused")
    stored = StoredResponse.objects.get()
    StoredResponse.objects.update(created_at=stored.created_at - KEPT * 2)
    late = writer.post(BATCH, sent, headers=headers).json()
    assert [each["outcome"] for each in late["results"]] == ["updated", "refused"]
    assert StoredResponse.objects.count() == 1


members = st.sampled_from([*Person.PROFILE, "external_data", "External Data"])
emails = st.sampled_from(["ada@example.com", "ADA@example.com", "b@example.com"])
rows = st.dictionaries(members | texts, json_values | emails, max_size=5)
examples = settings(
    max_examples=120,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@examples
@given(sent=st.lists(rows | json_values, min_size=1, max_size=4), whole=st.booleans())
def test_any_rows_are_written_whole_or_refused(
    writer: APIClient, sent: list[Any], whole: bool
) -> None:
    import json

    before = Person.objects.count()
    text = json.dumps({"testers": sent, "all_or_nothing": whole})
    response = writer.post(BATCH, text, content_type="application/json")
    if response.status_code == 200:
        body = response.json()
        assert Person.objects.count() == before + body["created"]
        assert len(body["results"]) == len(sent)
        for each in body["results"]:
            assert (each["outcome"] == "refused") is bool(each["errors"])
    else:
        problem(response, 400, response.json()["code"])
        assert Person.objects.count() == before
