"""Whatever is sent to a source makes a ticket or a refusal, never a fault or a half."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedback.models import ExternalSource, Feedback, FeedbackType, SourceTicket
from feedback.models import Tester as Person
from feedback.models.types import FieldKind
from feedback.sources.external import MAX_DATA, MAX_ITEMS, MAX_TEXT
from feedback.sources.members import FIXED, MAX_MEMBERS
from feedback.sources.reading import MAX_DESCRIPTION
from tests.api.callers import problem
from tests.sources.conftest import Send

BOM = b"\xef\xbb\xbf"
DEEP = b'{"external": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"
LEVELS = b'{"title": "x", "external": ' + b'{"a":' * 500 + b"1" + b"}" * 500 + b"}"
BODIES = {
    "nothing": (b"", "This member is required."),
    "no JSON": (b"title=x", "JSON parse error"),
    "a list": (b'["title"]', "Send a JSON object."),
    "a text": (b'"title"', "Send a JSON object."),
    "not UTF-8": (b'{"title": "\xff"}', "JSON parse error"),
    "a lone surrogate": (b'{"title": "\\ud800"}', "can't be kept"),
    "one in a name": (b'{"\\udfff": "x"}', "can't be kept"),
    "NUL": (b'{"title": "a\\u0000b"}', "can't be kept"),
    "NaN": (b'{"title": NaN}', "NaN is not a number of JSON"),
    "Infinity": (b'{"impact": -Infinity}', "is not a number of JSON"),
    "too large a number": (b'{"impact": 1e999999999}', "more digits"),
    "too small a number": (b'{"impact": 1e-999999999}', "more digits"),
    "5,000 digits": (b'{"impact": ' + b"9" * 5000 + b"}", "more digits"),
    "5,000 behind the point": (b'{"impact": 0.' + b"3" * 5000 + b"}", "more digits"),
    "a member twice": (b'{"title": "a", "title": "b"}', "'title' is there twice"),
    "200,000 lists": (DEEP, "nested too deeply"),
    "500 objects": (LEVELS, "nested too deeply"),
    "half": (b'{"title": "It br', "JSON parse error"),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=list(BODIES))
def test_a_body_that_is_none_is_refused_with_a_sentence(
    send: Send, body: tuple[bytes, str]
) -> None:
    text, reason = body
    refused = send(text, content_type="application/json")
    assert refused.status_code == 400
    assert reason in problem(refused, 400, refused.json()["code"])["detail"]
    assert not Feedback.objects.exists()


def test_a_body_of_20_mb_is_refused_before_it_is_read(send: Send) -> None:
    for content_type in ("application/json", "application/x-www-form-urlencoded"):
        body = b'{"title": "' + b"x" * 19_999_000 + b'"}'
        problem(send(body, content_type=content_type), 413, "too_large")
        problem(send(body * 2, content_type=content_type), 413, "too_large")


def test_a_body_of_another_kind_is_refused(send: Send) -> None:
    refused = send(b"<title/>", content_type="application/xml")
    problem(refused, 415, "unsupported_media_type")


def test_a_byte_order_mark_is_no_fault(send: Send) -> None:
    body = BOM + b'{"title": "x"}'
    assert send(body, content_type="application/json").status_code == 201


LIMITS: list[tuple[dict[str, Any], list[str]]] = [
    ({"title": "x" * 250, "description": "x" * MAX_DESCRIPTION}, []),
    ({"title": "x" * 251}, ["#/title"]),
    ({"title": "x", "description": "x" * (MAX_DESCRIPTION + 1)}, ["#/description"]),
    ({"title": "x", "external": {"a": "x" * MAX_TEXT, "b": [1] * MAX_ITEMS}}, []),
    ({"title": "x", "external": {"a": "x" * (MAX_TEXT + 1)}}, ["#/external/a"]),
    ({"title": "x", "external": {"a": [1] * (MAX_ITEMS + 1)}}, ["#/external/a"]),
    (
        {"title": "x", "external": {"a": [[1]], "B": {}, "": 1}},
        ["#/external/a", "#/external/B", "#/external/"],
    ),
    (
        {"title": "x", "external": {"Jira key": 1, "jira_key": 2}},
        ["#/external/jira_key"],
    ),
    ({"title": "x", "external": ["a"]}, ["#/external"]),
    (
        {"title": "x", "external": {str(f"a{n}"): "x" * MAX_TEXT for n in range(17)}},
        ["#/external"],
    ),
    ({"title": "x", **{f"a{n}": n for n in range(MAX_MEMBERS)}}, ["#", "#/title"]),
]


@pytest.mark.parametrize(("body", "at_fault"), LIMITS)
def test_each_limit_is_one_of_its_member(
    send: Send, body: dict[str, Any], at_fault: list[str]
) -> None:
    response = send(body)
    if at_fault:
        faults = problem(response, 400, "invalid")["errors"]
        assert [each["pointer"] for each in faults] == at_fault
    else:
        assert response.status_code == 201
    assert MAX_DATA == 65_536


# For each kind of question: what is taken, and what is not.
TAKEN: dict[str, list[object]] = {
    "severity": ["Minor", "mInOr", " Critical ", None, ""],
    "platform": [["iOS"], "iOS", "ios, Android", ["GRÜN"], [], None, ["iOS", "ios"]],
    "reproducible": [True, False, "yes", "off", 1, 0, None],
    "impact": [1, 1.5, -3, "1.5", "  7 ", None, 10**11],
    "found_on": ["2026-11-26", None, ""],
    "page": ["https://example.com/", "example.com", None],
    "app_version": ["1.2", 1.2, 3, "x" * 500, None],
    "steps": ["one\ntwo", 5, None, "x" * 10_000],
}
RUBBISH: dict[str, list[object]] = {
    "severity": ["Terrible", ["Minor"], True, {}, 7, "Minor\nMajor"],
    "platform": [["Windows"], [["iOS"]], [{}], True, {"a": 1}, [None], 5, "iOS;"],
    "reproducible": ["perhaps", 2, 1.5, [True], {}, "ja"],
    "impact": ["much", True, [1], {}, 10**18, 0.1234567, "1e400", "NaN", "٣x"],
    "found_on": ["2026-02-30", 20261126, True, ["2026-11-26"], {}, "yesterday"],
    "page": ["not a page", True, ["https://example.com/"], "javascript:alert(1)", {}],
    "app_version": ["x" * 501, True, ["1"], {}],
    "steps": ["x" * 10_001, False, ["one", "two"], {}],
}
_TAKEN = [(key, value) for key, values in TAKEN.items() for value in values]
_RUBBISH = [(key, value) for key, values in RUBBISH.items() for value in values]


@pytest.mark.sweep
@pytest.mark.parametrize(("key", "value"), _TAKEN)
def test_a_question_takes_what_people_would_write(
    send: Send, key: str, value: object
) -> None:
    response = send({"title": "x", key: value})
    assert response.status_code == 201, response.json()
    stored = Feedback.objects.get().form_values
    assert (key in stored) is (value not in (None, "", []))


@pytest.mark.sweep
@pytest.mark.parametrize(("key", "value"), _RUBBISH)
def test_a_question_refuses_rubbish_by_its_name(
    send: Send, key: str, value: object
) -> None:
    [fault] = problem(send({"title": "x", key: value}), 400, "invalid")["errors"]
    assert fault["pointer"] == f"#/{key}" and fault["detail"].endswith(".")
    assert not Feedback.objects.exists()


@pytest.mark.sweep
@pytest.mark.parametrize("name", FIXED)
@pytest.mark.parametrize("value", [True, ["x"], {"a": {}}, 5, 1.5, "\u202e", " "])
def test_the_other_members_refuse_by_their_names_too(
    send: Send, name: str, value: object
) -> None:
    response = send({"title": "x", name: value})
    if response.status_code != 201:
        [fault] = problem(response, 400, "invalid")["errors"]
        assert fault["pointer"].startswith(f"#/{name}")


def test_every_kind_of_question_is_in_the_matrix(bugs: FeedbackType) -> None:
    kinds = {each.key: each.kind for each in bugs.form_fields.all()}
    assert set(kinds) == set(TAKEN) == set(RUBBISH)
    assert set(kinds.values()) == set(FieldKind.values)


examples = settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
names = st.sampled_from([*FIXED, *TAKEN, "external_x", "Severity", "field_steps"])
texts = st.text(max_size=12) | st.sampled_from(
    ["New", "Minor", "iOS", "app@example.com", "new@example.com", "public", "\0"]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(
    scalars,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(texts, below),
    max_leaves=4,
)


@examples
@given(sent=st.dictionaries(names | st.text(max_size=8), values, max_size=6))
def test_any_object_makes_a_whole_ticket_or_nothing(
    send: Send, source: ExternalSource, sent: dict[str, Any]
) -> None:
    source.makes_testers = True
    source.save()
    models = (Feedback, SourceTicket, Person)
    before = [model.objects.count() for model in models]
    response = send(json.dumps(sent), content_type="application/json")
    after = [model.objects.count() for model in models]
    if response.status_code == 201:
        ticket = Feedback.objects.get(pk=response.json()["id"])
        assert ticket.title and ticket.status and ticket.submitter
        assert after[:2] == [before[0] + 1, before[1] + 1]
    else:
        problem(response, 400, response.json()["code"])
        assert after == before


def test_numbers_are_kept_with_all_of_their_digits(send: Send) -> None:
    body = b'{"title": "x", "external": {"a": 0.10000000000000000000001, "b": 1.0}}'
    assert send(body, content_type="application/json").status_code == 201
    data = Feedback.objects.get().external_data
    assert data == {"a": Decimal("0.10000000000000000000001"), "b": 1}


def test_many_unknown_members_are_no_more_work_than_few(send: Send) -> None:
    def queries(count: int) -> int:
        body = {f"a{number}": number for number in range(count)}
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert len(problem(send(body), 400, "invalid")["errors"]) <= 50
        return len(asked)

    queries(1)
    assert queries(900) == queries(3)
