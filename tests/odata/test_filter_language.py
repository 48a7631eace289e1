"""What a `$filter` means, row by row, and what is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db.models import F
from hypothesis import given
from hypothesis import strategies as st

from feedback.models import Feedback, FeedbackType
from feedback.odata.errors import NotSupported, OptionRefused
from feedback.odata.filtering import compile_filter
from feedback.odata.operands import Operand
from feedback.odata.parsing import MAX_CONDITIONS, MAX_DEPTH, parse
from feedback.odata.tokens import MAX_LENGTH
from feedback.packages.stored import AT
from tests import factories

FIELDS = {
    name: Operand(name, kind, expression)
    for name, kind, expression in [
        ("title", "text", F("title")),
        ("status", "text", F("status__name")),
        ("number", "integer", F("number")),
        ("open", "boolean", F("status__is_open")),
        ("created", "moment", F("created_at")),
        ("impact", "number", AT["number"]("form_values", "impact")),
        ("found_on", "date", AT["date"]("form_values", "found_on")),
        ("platform", "list", AT["list"]("form_values", "platform")),
        ("severity", "text", AT["text"]("form_values", "severity")),
    ]
}
Find = Callable[[str], list[str]]


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def find(bugs: FeedbackType) -> Find:
    """The titles of the tickets that a filter selects, in order."""
    closed = bugs.statuses.get(name="Closed")
    rows = [
        ("Crash", 1, {"impact": 2.5, "severity": "Critical", "platform": ["iOS"]}),
        ("O'Neil's", 15, {"impact": 3, "found_on": "2026-11-15"}),
        ("größe", 24, {"severity": "Minor"}),
    ]
    for title, day, values in rows:
        status = None if title == "Crash" else closed
        made = factories.ticket(bugs, title=title, form_values=values, status=status)
        moment = datetime(2026, 11, day, 9, 30, 0, day, tzinfo=UTC)
        Feedback.objects.filter(pk=made.pk).update(created_at=moment)

    def find(text: str) -> list[str]:
        rows = Feedback.objects.filter(compile_filter(text, FIELDS)).order_by("pk")
        return [row.title.partition("'")[0] for row in rows]

    return find


ALL = ["Crash", "O", "größe"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("title eq 'Crash'", ["Crash"]),
        ("title eq 'CRASH'", ["Crash"]),
        ("'Crash' eq title", ["Crash"]),
        ("title ne 'Crash'", ["O", "größe"]),
        ("title eq 'O''Neil''s'", ["O"]),
        ("title in ('Crash', 'GRÖSSE')", ["Crash", "größe"]),
        ("contains(title,'RÖß')", ["größe"]),
        ("startswith(title,'o''n')", ["O"]),
        ("endswith(title, 'ash')", ["Crash"]),
        ("contains(title,'ash') eq false", ["O", "größe"]),
        ("not contains(title,'ash')", ["O", "größe"]),
        ("contains(title, '%')", []),
        ("tolower(title) eq 'crash'", ["Crash"]),
        ("tolower(title) eq 'Crash'", []),
        ("contains(toupper(title),'ASH')", ["Crash"]),
        ("contains(toupper(title),'ash')", []),
        ("length(title) gt 5", ["O"]),
        ("title gt 'crash'", ["O", "größe"]),
        ("number eq 2", ["O"]),
        ("number eq 2.5", []),
        ("number eq 2.0", ["O"]),
        ("number gt 1.5", ["O", "größe"]),
        ("number ge 1.5", ["O", "größe"]),
        ("number lt 1.5", ["Crash"]),
        ("number le 2.5", ["Crash", "O"]),
        ("2 lt number", ["größe"]),
        ("number in (1,3)", ["Crash", "größe"]),
        ("number eq -1", []),
        ("number lt 9223372036854775807", ALL),
        ("impact eq 2.5", ["Crash"]),
        ("impact gt 2.5", ["O"]),
        ("impact eq 3.0", ["O"]),
        ("impact eq null", ["größe"]),
        ("impact ne null", ["Crash", "O"]),
        ("impact gt null", []),
        ("impact in (3, null)", ["O", "größe"]),
        ("not (impact gt 2)", ["größe"]),
        ("open", ["Crash"]),
        ("not open", ["O", "größe"]),
        ("open eq false", ["O", "größe"]),
        ("open ne true", ["O", "größe"]),
        ("open in (true, false)", ALL),
        ("true", ALL),
        ("false", []),
        ("found_on eq 2026-11-15", ["O"]),
        ("found_on ge 2026-11-15", ["O"]),
        ("found_on gt 2026-11-15", []),
        ("found_on eq null", ["Crash", "größe"]),
        ("year(found_on) eq 2026 and month(found_on) eq 11", ["O"]),
        ("day(found_on) lt 15", []),
        ("created ge 2026-11-15", ["O", "größe"]),
        ("created lt 2026-11-15T09:30:00.000015Z", ["Crash"]),
        ("created le 2026-11-15T09:30:00.000015Z", ["Crash", "O"]),
        ("created eq 2026-11-15T10:30:00.000015+01:00", ["O"]),
        ("created eq 2026-11-15T10:30:00.000015 01:00", ["O"]),
        ("date(created) eq 2026-11-15", ["O"]),
        ("year(created) eq 2026 and day(created) ge 15", ["O", "größe"]),
        ("hour(created) eq 9 and minute(created) eq 30", ALL),
        ("created lt now()", ALL),
        ("created gt now()", []),
        ("platform eq null", ["O", "größe"]),
        ("platform ne null", ["Crash"]),
        ("severity eq 'critical' or number eq 2", ["Crash", "O"]),
        ("severity eq 'critical' or number eq 2 and open", ["Crash"]),
        ("(severity eq 'critical' or number eq 2) and not open", ["O"]),
        ("not (open or number eq 2)", ["größe"]),
        ("severity eq 'nothing like it'", []),
    ],
)
def test_a_filter_selects(find: Find, text: str, expected: list[str]) -> None:
    assert find(text) == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "At its end there must be a field, a value or a function."),
        ("title", "'title' is no condition: compare it."),
        ("title eq", "At its end there must be a field, a value or a function."),
        ("titel eq 'x'", "There is no field 'titel'. Did you mean 'title'?"),
        ("title eq 'x", "The text that begins at letter 10 has no end."),
        ("title eq 5", "Compare 'title' with a text such as 'New'."),
        ("number eq '5'", "Compare 'number' with a number such as 10."),
        ("open gt 1", "Compare 'open' with true or false."),
        ("created ge 'x'", "Compare 'created' with a moment such as"),
        ("found_on ge 2026-11-15T00:00:00Z", "Compare 'found_on' with a date such as"),
        ("created ge 2026-13-01", "'2026-13-01' at letter 12 is no date"),
        ("number eq 99999999999999999999", "is no number that can be compared"),
        ("impact eq 1e999999999", "is no number that can be compared"),
        ("impact eq 1e-999999999", "is no number that can be compared"),
        ("platform eq 'iOS'", "'platform' is a list: compare with null."),
        ("(title eq 'x'", "At its end there must be )."),
        ("title eq 'x')", "At letter 13 there must be the end, not ')'."),
        ("title in ('x'", "At its end there must be ,."),
        ("contains(title)", "contains() takes a field and a text."),
        ("contains(number,'1')", "contains() takes a text field and a text."),
        ("length(number) eq 1", "length() takes a text, and 'number' is none."),
        ("year(title) eq 1", "year() takes a moment, and 'title' is none."),
        ("open eq true gt false", "there must be the end"),
        ("title & 1", "Letter 7, '&', is not understood."),
        ("title eq 'a\0b'", "There is a character in it that no text can have."),
        ("x" * (MAX_LENGTH + 1), "It has 8,001 letters: give at most 8,000."),
        ("(" * (MAX_DEPTH + 2), "It is nested more than 30 levels deep."),
        ("not " * (MAX_DEPTH + 2) + "open", "It is nested more than 30 levels deep."),
        ("open or " * MAX_CONDITIONS + "open", "Give at most 100 conditions."),
        (f"number in ({','.join('1' * 101)})", "Give at most 100 values"),
        ("tolower(" * 200, "Give at most 100 values and conditions."),
    ],
)
def test_what_is_wrong_is_refused_by_a_sentence(
    find: Find, text: str, sentence: str
) -> None:
    with pytest.raises(OptionRefused) as refused:
        find(text)
    assert sentence in refused.value.sentence
    assert (refused.value.status, refused.value.option) == (400, "$filter")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("indexof(title,'x') eq 1", "'indexof'"),
        ("trim(title) eq 'x'", "'trim'"),
        ("geo.distance(title) eq 1", "."),
        ("number add 1 eq 2", "'add'"),
        ("number mod 2 eq 0", "'mod'"),
        ("title has 'x'", "'has'"),
        ("platform/any(p: p eq 'iOS')", "'any'"),
        ("status/name eq 'New'", "status/..."),
        ("title eq status", "Comparing a field with another one"),
        ("created gt duration'P1D'", "duration'"),
        ("title eq 01234567-89ab-cdef-0123-456789abcdef", "01234567-"),
    ],
)
def test_what_is_not_supported_says_its_name(find: Find, text: str, name: str) -> None:
    with pytest.raises(OptionRefused) as refused:
        find(text)
    assert name in refused.value.sentence
    is_known = not text.startswith("geo")
    assert isinstance(refused.value, NotSupported) is is_known


LETTERS = "title numbr eq()'\" ,/:0123-TZ.+&\u00e9\0"


@given(st.text(st.sampled_from(LETTERS), max_size=60))
def test_no_text_whatever_is_an_error_of_ours(text: str) -> None:
    try:
        compile_filter(text, FIELDS)
    except OptionRefused as refused:
        assert refused.sentence.endswith((".", "?"))


def test_a_tree_keeps_the_order_of_binding() -> None:
    assert parse("a or b and not c") == parse("a or (b and (not c))")
