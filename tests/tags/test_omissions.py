"""Members of a JSON body that are left out when a tag has no value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from macros.tags import MASK, OutputContext
from macros.tags.contexts.members import MAX_LEVELS
from tests.tags.subjects import a_context, compiled, problems, rendered

JSON = OutputContext.JSON
NAMES = "abcdef"


def sent(source: str, **external: Any) -> Any:
    return json.loads(rendered(source, JSON, external_data=external))


@given(
    st.lists(
        st.tuples(st.booleans(), st.sampled_from(["", "x", '"', None, 0, []])),
        max_size=6,
    ),
    st.sampled_from(["", "\n  ", "  "]),
)
def test_whatever_is_left_out_the_rest_is_the_object(
    rows: list[tuple[bool, object]], space: str
) -> None:
    members, expected, values = [], {}, {}
    for name, (may_go, value) in zip(NAMES, rows, strict=False):
        values[name] = value
        omit = f"|omit:{name}" if may_go else ""
        members.append(f'"{name}"{space}:{space}((External: {name}{omit}))')
        if not may_go or value not in ("", None, []):
            expected[name] = value
    body = f",{space}".join(members)
    assert sent(f"[{{{space}{body}{space}}}]", **values) == [expected]


WHOLE = r"""{
  "ticket": {
    "requester": {"name": "\((x)) {,", "email": "((External: e|omit:requester))"},
    "list": [{"a": ((External: a|omit:a)), "b": [{"c": "((External: c|omit:b))"}]}],
    "((Number))": "((Title|omit:ticket))",
    "last": "((Secret: token))"
  }
}"""


def test_a_tag_may_leave_out_what_is_further_out() -> None:
    last = {"12": "Login fails", "last": "s3cr3t"}
    everything = {
        "requester": {"name": "((x)) {,", "email": "e"},
        "list": [{"a": "a", "b": [{"c": "c"}]}],
    }
    assert sent(WHOLE, e="e", a="a", c="c") == {"ticket": everything | last}
    assert sent(WHOLE) == {"ticket": {"list": [{}]} | last}
    assert sent(WHOLE, c="c") == {"ticket": {"list": [{"b": [{"c": "c"}]}]} | last}
    assert sent(WHOLE.replace("((Title|", "((External: none|")) == {}


def test_the_rest_stays_as_it_is_written() -> None:
    source = '{"a": 1,\n "b": ((External: b|omit:b)), \n "c" : 2 }'
    assert rendered(source, JSON) == '{"a": 1, \n "c" : 2 }'
    assert rendered(source, JSON, external_data={"b": [1]}) == (
        '{"a": 1,\n "b": [1], \n "c" : 2 }'
    )


def test_people_see_the_same_members_masked() -> None:
    template = compiled(WHOLE, JSON)
    shown = json.loads(template.render_masked(a_context(external_data={"a": 1})))
    assert shown["ticket"] == {"list": [{"a": 1}], "12": "Login fails", "last": MASK}
    assert template.uses_secrets
    assert template.tags[:2] == ("External: e", "External: a")
    assert "External: e" in template.empty_tags(a_context())


def test_a_member_that_is_itself_json_goes_as_a_whole() -> None:
    source = r'{"p": "{\"a\": \"((Title)) ((External: a|omit:p))\"}", "q": 1}'
    assert sent(source) == {"q": 1}
    inner = json.loads(sent(source, a='"')["p"])
    assert inner == {"a": 'Login fails "'}


NOT_AROUND = "no member with the name 'b' is around this tag."


@pytest.mark.parametrize(
    ("source", "output", "problem"),
    [
        ('{"b": 1, "a": "((Title|omit:b))"}', JSON, f"16: {NOT_AROUND}"),
        ('{"a": {"b": 1}, "c": ((Title|omit:b))}', JSON, f"22: {NOT_AROUND}"),
        ('{"a((Title|omit:b))": 1}', JSON, f"4: {NOT_AROUND}"),
        ('["((Title|omit:b))"]', JSON, f"3: {NOT_AROUND}"),
        ("((Title|omit:b))", JSON, f"1: {NOT_AROUND}"),
        (
            "a=((Title|omit:a))",
            OutputContext.FORM,
            "11: the filter omit can be in a JSON body only; it names a member.",
        ),
    ],
)
def test_a_member_that_is_not_around_the_tag_is_refused(
    source: str, output: OutputContext, problem: str
) -> None:
    assert problems(source, output) == [f"Line 1, column {problem}"]


def test_levels_are_bounded() -> None:
    def nested(levels: int) -> str:
        begin = '{"a": ((Title|omit:a)), "b": ' * levels
        return f"{begin}1{'}' * levels}"

    assert problems(nested(MAX_LEVELS), JSON) == []
    [problem] = problems(nested(MAX_LEVELS + 1), JSON)
    assert problem.endswith("members are left out at more than 20 levels.")
