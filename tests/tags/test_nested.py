"""A language inside a language: whoever reads both gets the value and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pytest
from graphql import parse
from graphql.language import FieldNode, OperationDefinitionNode, StringValueNode
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from macros.tags import MASK, OutputContext, Template
from tests.tags.subjects import a_context, compiled, problems, with_value

TAG = "((External: v))"
TEXTS = st.text(st.sampled_from("\"\\{}[]:,\n\r\t\0%&+= <>'#$/((ü🙂\u2028\x7f"))
VALUES = (
    st.text(st.characters(exclude_categories=["Cs"]))
    | TEXTS
    | st.sampled_from(
        [
            'x", "channel": "#board',
            '\\", \\"a\\": \\"b',
            "%22%2C%26",
            "((Title))",
            "]]>",
        ]
    )
)
ANY = VALUES | st.integers() | st.booleans() | st.none() | st.lists(VALUES, max_size=2)


@dataclass(frozen=True)
class Language:
    """How a text is written in a language, its tags as they are, and read again."""

    write: Callable[[str], str]
    read: Callable[[str], Any]


def around_tags(change: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: TAG.join(change(each) for each in text.split(TAG))


def in_json_string(text: str) -> str:
    return '{"safe": 1, "payload": ' + json.dumps(text) + "}"


def in_graphql(text: str) -> str:
    query = (
        f'mutation {{ # "\n  add(a: "\\"\\\\", text: {json.dumps(text)}) {{ id }} }}'
    )
    return json.dumps({"query": query, "variables": {}})


def read_graphql(text: str) -> Any:
    [operation] = parse(json.loads(text)["query"]).definitions
    assert isinstance(operation, OperationDefinitionNode)
    [field] = operation.selection_set.selections
    assert isinstance(field, FieldNode)
    plain, value = (argument.value for argument in field.arguments)
    assert isinstance(plain, StringValueNode) and plain.value == '"\\'
    assert isinstance(value, StringValueNode)
    return value.value


def read_form(text: str) -> Any:
    [(name, [value])] = parse_qs(text, keep_blank_values=True).items()
    assert name == "payload"
    return value


def read_url(text: str) -> Any:
    split = urlsplit(text)
    assert (split.path, split.fragment) == ("/a", "")
    [(name, [value])] = parse_qs(split.query, keep_blank_values=True).items()
    assert name == "payload"
    return value


def in_url(text: str) -> str:
    return "https://h.example/a?payload=" + around_tags(quote)(text)


JSON = Language(in_json_string, lambda text: json.loads(text)["payload"])
GRAPHQL = Language(in_graphql, read_graphql)
OUTER = {
    "form": (OutputContext.FORM, Language(lambda text: f"payload={text}", read_form)),
    "url": (OutputContext.URL, Language(in_url, read_url)),
    "header": (OutputContext.HEADER, Language(str, str)),
    "json": (OutputContext.JSON, JSON),
    "graphql": (OutputContext.JSON, GRAPHQL),
    "xml": (
        OutputContext.XML,
        Language(
            lambda text: f"<a><b>{around_tags(escape)(text)}</b></a>",
            lambda text: ElementTree.fromstring(text).findtext("b"),
        ),
    ),
    "cdata": (
        OutputContext.XML,
        Language(
            lambda text: f"<a><!-- x --><![CDATA[{text}]]></a>",
            lambda text: ElementTree.fromstring(text).text,
        ),
    ),
    "attribute": (
        OutputContext.XML,
        Language(
            lambda text: f'<a><b c="{around_tags(in_attribute)(text)}"/></a>',
            lambda text: ElementTree.fromstring(text)[0].get("c"),
        ),
    ),
}


def in_attribute(text: str) -> str:
    return escape(text, {'"': "&quot;", "\n": "&#10;"})


BETWEEN = {
    "": (),
    ">json": (JSON,),
    ">json>json": (JSON, JSON),
    ">graphql": (GRAPHQL,),
    ">graphql>json": (GRAPHQL, JSON),
}
INNERMOST = '{"channel": "#beta", "text": "<TAG>", "value": TAG, "TAG": [[TAG, "TAG"]]}'


SECRET = "((Secret: token))"


@cache
def template(outer: str, between: str, tag: str = TAG) -> Template:
    output, language = OUTER[outer]
    text = INNERMOST.replace("TAG", TAG)
    for each in (*reversed(BETWEEN[between]), language):
        text = each.write(text)
    return compiled(text.replace(TAG, tag), output)


def read(outer: str, between: str, sent: Any) -> Any:
    for each in (OUTER[outer][1], *BETWEEN[between]):
        sent = each.read(sent)
    return json.loads(sent)


def innermost(value: object) -> Any:
    text = with_value(TAG, value)
    own = json.loads(json.dumps(value))
    return {"channel": "#beta", "text": f"<{text}>", "value": own, text: [[own, text]]}


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("outer", OUTER)
@settings(max_examples=25)
@given(value=ANY)
def test_a_value_comes_out_as_it_went_in(
    outer: str, between: str, value: object
) -> None:
    if outer == "header":
        # JSON has no need to escape these, and a header can't hold them.
        assume(not re.search(r"[\x7f-\x9f\u2028\u2029]", with_value(TAG, value)))
    context = a_context(external_data={"v": value})
    sent = template(outer, between).render(context)
    assert read(outer, between, sent) == innermost(value)


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("outer", OUTER)
def test_a_secret_is_masked_within_and_its_every_form_is_known(
    outer: str, between: str
) -> None:
    secret = 's3"cr\\3t'
    context = a_context({"token": secret})
    made = template(outer, between, SECRET)
    assert read(outer, between, made.render(context)) == innermost(secret)
    shown = made.render_masked(context)
    assert read(outer, between, shown) == innermost(MASK)
    known = {*made.sent_secrets({"token": secret})}
    form: Any = made.render(context)
    for each in (OUTER[outer][1], *BETWEEN[between]):
        form = each.read(form)
        assert any(each in form for each in known if len(each) > len(secret))
    # Its mask can be read there as well.
    assert MASK in shown


@pytest.mark.parametrize(
    ("source", "output", "sent"),
    [
        ("text=[((Reference))] ((Title))", "form", "text=%5BBUG-12%5D+Login+fails"),
        ("text=[((Number)), ((Title))]", "form", "text=%5B12%2C+Login+fails%5D"),
        ("text={((Title))}", "form", "text=%7BLogin+fails%7D"),
        ("text=((Title|json))", "form", "text=%22Login+fails%22"),
        ("payload={}((Title))", "form", "payload=%7B%7DLogin+fails"),
        ('{"a": "[((Number))] ((Title))"}', "json", '{"a": "[12] Login fails"}'),
        ('{"a": "[[((Title))]]"}', "json", '{"a": "[[Login fails]]"}'),
        (
            r'{"a": "{\"b\": ((Title|json))} {\"b\": ((Number|json))}"}',
            "json",
            r'{"a": "{\"b\": \"Login fails\"} {\"b\": 12}"}',
        ),
        ('{"query": "query ((Title))"}', "json", '{"query": "query Login fails"}'),
        ('{"q": "{ a(b: ((Number))) }"}', "json", '{"q": "{ a(b: 12) }"}'),
        ('{"query": "{ a(b: ((Title|json))) }"}', "json", None),
        ("https://h.example/[((Number))]?a={b}((Title))", "url", None),
    ],
)
def test_what_only_begins_alike_stays_text(
    source: str, output: str, sent: str | None
) -> None:
    made = compiled(source, OutputContext(output)).render(a_context())
    if sent is not None:
        assert made == sent


JSON_ADVICE = (
    "mend it, or write the tag as a whole value, without quotes, as in ((Title|json))."
)
GRAPHQL_ADVICE = (
    'declare a variable, write its $name here, and put the tag among the "variables".'
)


@pytest.mark.parametrize(
    ("source", "output", "column", "why"),
    [
        (
            'payload={"text": "((Title))"} x',
            "form",
            19,
            "looks like JSON, but this is not valid JSON: there is more after the end"
            f" of the JSON value; {JSON_ADVICE}",
        ),
        (r'{"a": "{\"b\": \"((Title))\""}', "json", 18, f"missing here; {JSON_ADVICE}"),
        ('a=["((Title))" and more', "form", 5, JSON_ADVICE),
        ('a={((Title)), "b": ((Title))}', "form", 4, JSON_ADVICE),
        ('a={"b": "((Title|json))" c}', "form", 10, JSON_ADVICE),
        ("https://h.example/?a={%22b%22:((Title))", "url", 31, JSON_ADVICE),
        ('{"query": "{ a(b: ((Number))) }"}', "json", 19, GRAPHQL_ADVICE),
        ('{"query": "# ((Title))\\n{ a }"}', "json", 14, GRAPHQL_ADVICE),
        (
            r'{"query": "{ a(b: \"\"\"((Title))\"\"\") }"}',
            "json",
            25,
            f"can't stand in a comment or a block text of GraphQL; {GRAPHQL_ADVICE}",
        ),
        (r'{"query": "{ a(b: \"((Title))) }"}', "json", 21, GRAPHQL_ADVICE),
        (r'{"query": "{ a(b: [\"((Title))\"\"x\"]) }"}', "json", 22, GRAPHQL_ADVICE),
        (r'{"query": "{ a(b: \"((Title))\n\") }"}', "json", 21, GRAPHQL_ADVICE),
        (
            r'{"query": "mutation { a(b: \"{\\\"c\\\": \\\"((Title))\") }"}',
            "json",
            46,
            JSON_ADVICE,
        ),
        ("query=mutation { a(b: ((Title))) }", "form", 23, GRAPHQL_ADVICE),
        ("https://h.example/?query={a(b:((Number)))}", "url", 31, GRAPHQL_ADVICE),
    ],
)
def test_what_cannot_be_known_is_refused_with_a_way_to_write_it(
    source: str, output: str, column: int, why: str
) -> None:
    [problem] = problems(source, OutputContext(output))
    assert problem.startswith(f"Line 1, column {column}: ")
    assert problem.endswith(why)


def test_a_backslash_before_a_tag_takes_no_letter_of_its_value() -> None:
    assert len(problems(r'a={"b": "\\((Title))"}', OutputContext.FORM)) == 1
    source = r'{"a": "{\"b\": \"\\\\((Title))\"}"}'
    made = compiled(source, OutputContext.JSON).render(a_context(title='"'))
    assert json.loads(json.loads(made)["a"]) == {"b": '\\"'}


@pytest.mark.parametrize("end", ["", "\n", '"'])
def test_a_deep_or_long_nesting_is_read_in_bounded_work(end: str) -> None:
    text = TAG
    for _ in range(14):
        text = json.dumps({"a": text})
    inner: Any = with_value(text, 'x\\"' + end, OutputContext.JSON)
    for _ in range(14):
        inner = json.loads(inner)["a"]
    assert inner == 'x\\"' + end
    assert len(problems("a=" + "[" * 100_000 + '"((Title))"', OutputContext.FORM)) == 1
    comments = '{"query": "' + "# \\n" * 50_000 + '{ a(b: ((Title))) }"}'
    assert len(problems(comments, OutputContext.JSON)) == 1
