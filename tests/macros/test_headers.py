"""Header lines as people write them, and what is wrong with them, line by line."""

from __future__ import annotations

import pytest

from macros.tags import Problem, Scope, TemplateError
from macros.tags.headers import compile_headers

SCOPE = Scope.of()


def problems(text: str) -> list[str]:
    with pytest.raises(TemplateError) as refused:
        compile_headers(text, SCOPE)
    return [str(problem) for problem in refused.value.problems]


def test_each_line_is_a_header_in_its_order_and_spelling() -> None:
    compiled = compile_headers(
        "Accept: */*\r\n\r\n  X-Title :\t ((Title)) \nX-Time: 12:30:00\nX-Empty:",
        SCOPE,
    )
    assert [(name, template.source) for name, template in compiled] == [
        ("Accept", "*/*"),
        ("X-Title", "((Title))"),
        ("X-Time", "12:30:00"),
        ("X-Empty", ""),
    ]
    assert compile_headers(" \n\n", SCOPE) == []


def test_all_faults_are_named_at_once_with_their_lines() -> None:
    text = "no colon\n\nAccept: a\nBad Name: b\r\nHost: c\nACCEPT: d\n: e\nX: ((Titel))"
    assert problems(text) == [
        "Line 1, column 1: write a header as Name: value.",
        "Line 4, column 1: 'Bad Name' is not a header name; use letters, digits and"
        " hyphens.",
        "Line 5, column 1: CenterHook sets the header Host itself; leave it out.",
        "Line 6, column 1: the header ACCEPT is given twice.",
        "Line 7, column 1: write a header as Name: value.",
        "Line 8, column 4: unknown tag ((Titel)). Did you mean ((Title))?",
    ]


@pytest.mark.parametrize(
    "name",
    ["host", "content-length", "transfer-encoding", "connection", "webhook-id"],
)
def test_what_we_send_ourselves_cannot_be_overridden(name: str) -> None:
    for spelling in (name, name.title(), name.upper(), f" {name} "):
        shown = spelling.strip()
        assert problems(f"{spelling}: x") == [
            f"Line 1, column 1: CenterHook sets the header {shown} itself; leave it"
            " out."
        ]


@pytest.mark.parametrize(
    "name",
    ["Größe", "X Y", "X\tY", "(X)", "X/Y", '"X"', "X\rY", "X\x00", "X@Y", "X[1]"],
)
def test_a_name_that_would_break_the_request_is_refused(name: str) -> None:
    [message] = problems(f"{name}: x")
    assert message.startswith("Line 1, column 1: ") and "not a header name" in message


@pytest.mark.parametrize(
    "character", ["\r", "\x00", "\x0b", "\x0c", "\x1b", "\x7f", "\x85"]
)
def test_a_control_character_in_a_value_is_refused_where_it_stands(
    character: str,
) -> None:
    with pytest.raises(TemplateError) as refused:
        compile_headers(f"Accept: a\nX-Note: ab{character}Evil: 1", SCOPE)
    [problem] = refused.value.problems
    assert isinstance(problem, Problem)
    assert (problem.line, problem.column) == (2, 11)


def test_a_line_that_only_looks_folded_is_not_part_of_the_one_above() -> None:
    assert problems("X-Note: a\n continued") == [
        "Line 2, column 1: write a header as Name: value."
    ]
