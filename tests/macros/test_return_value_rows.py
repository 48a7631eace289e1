"""The rows of return values are checked when they are saved: row, member, reason."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from macros.steps.kinds.web_request import WebRequest
from tests import factories

pytestmark = pytest.mark.django_db

FULL = {
    "name": "jira_key",
    "source": "json",
    "expression": "$.key",
    "type": "text",
    "when": "success",
    "required": False,
}


def saved(rows: Any) -> WebRequest:
    macro = factories.macro(
        factories.feedback_type(), "https://a.example/", return_values=rows
    )
    return WebRequest.objects.get(macro=macro)


def refused(rows: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        saved(rows)
    assert list(caught.value.message_dict) == ["return_values"]
    return caught.value.message_dict["return_values"]


def test_a_row_is_stored_whole_under_its_normalised_name() -> None:
    step = saved([{"name": " Jira-Key ", "source": "json", "expression": " $.key "}])
    assert step.return_values == [FULL]
    assert step.snapshot()["return_values"] == [FULL]


def test_blank_rows_are_dropped() -> None:
    blank = {**FULL, "name": " ", "expression": ""}
    assert saved([blank, FULL, blank]).return_values == [FULL]


def test_a_status_needs_no_path() -> None:
    status = {**FULL, "source": "status", "expression": "left over", "type": "number"}
    assert saved([status]).return_values == [{**status, "expression": ""}]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "Row 1, name: Give a name for the value, such as jira_key."),
        ({"name": "1st"}, "Row 1, name: Begin with a letter; use letters, digits,"),
        ({"name": "a.b"}, "Row 1, name: Begin with a letter; use letters, digits,"),
        ({"name": "x" * 61}, "Row 1, name: A name has at most 60 characters."),
        ({"name": "contains"}, "Row 1, name: 'contains' is reserved. Choose another."),
        (
            {"source": "cookie"},
            "Row 1, source: Choose json, header, status or text, not 'cookie'.",
        ),
        (
            {"type": "uuid"},
            "Row 1, type: Choose text, number, boolean, date or list, not",
        ),
        ({"when": "never"}, "Row 1, when: Choose success or always, not 'never'."),
        ({"required": "yes"}, "Row 1, required: Say true or false."),
        ({"color": "red"}, "Row 1, color: There is no such member."),
        ({"expression": ""}, "Row 1, path: Say where in the response the value is."),
        ({"expression": "x" * 501}, "Row 1, path: It has at most 500 characters."),
        ({"expression": "key"}, "Row 1, path: A JSONPath begins with $, such as"),
        (
            {"expression": "$.a["},
            "Row 1, path: This is not a valid JSONPath expression: ",
        ),
        (
            {"expression": "$.a | $.b"},
            "Row 1, path: This is not a valid JSONPath expression: ",
        ),
        (
            {"expression": "$.a[?typeof(@) == 'x']"},
            "Row 1, path: This is not a valid JSONPath expression:",
        ),
        (
            {"source": "text", "expression": "(unclosed"},
            "Row 1, path: This regular expression can't be used: missing ): (unclosed.",
        ),
        (
            {"source": "text", "expression": r"(a)\1"},
            "Row 1, path: This regular expression can't be used: invalid escape",
        ),
        (
            {"source": "text", "expression": "(a)(b)"},
            "Row 1, path: Use at most one group (...); write others as (?:...).",
        ),
        (
            {"source": "header", "expression": "X Id"},
            "Row 1, path: 'X Id' is not the name of a header.",
        ),
        (
            {"source": "header", "expression": "Set-Cookie"},
            "Row 1, path: Set-Cookie holds a credential, and those are never stored.",
        ),
    ],
)
def test_a_fault_names_row_and_member(changes: dict[str, Any], message: str) -> None:
    [problem] = refused([{**FULL, **changes}])
    assert problem.startswith(message)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"name": "x"}, "Give a list of return values."),
        ("jira_key", "Give a list of return values."),
        ([FULL, 5], "Row 2: give name, source, type and the rest."),
        (
            [FULL, {**FULL, "name": "JIRA key"}],
            "Row 2, name: 'jira_key' is given twice.",
        ),
        (
            [{**FULL, "name": f"n{n}"} for n in range(31)],
            "There can be 30 return values, not 31.",
        ),
    ],
)
def test_anything_but_a_list_of_rows_is_refused(rows: Any, message: str) -> None:
    [problem] = refused(rows)
    assert problem.startswith(message)


def test_all_faults_are_named_at_once() -> None:
    rows = [{**FULL, "name": "1", "type": "?"}, {**FULL, "expression": "key"}]
    assert [message.partition(":")[0] for message in refused(rows)] == [
        "Row 1, name",
        "Row 1, type",
        "Row 2, path",
    ]
