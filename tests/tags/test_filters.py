import json
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from macros.tags import FILTERS, OutputContext, RenderError
from tests.tags.subjects import a_context, compiled, problems, rendered, with_value

LATE = datetime(2026, 3, 4, 23, 5, 6, tzinfo=timezone(timedelta(hours=0)))

EXPECTED = {
    "truncate": [
        ("truncate:5", "Login fails", "Logi…"),
        ("truncate:11", "Login fails", "Login fails"),
        ("truncate:1", "Login", "…"),
        ("truncate: 3 ", "👍👍👍👍", "👍👍…"),
        ("truncate:2", 1234, "1…"),
        ("truncate:2", None, ""),
        # More in test_lengths.py.
        ("truncate:4,utf-16", "👍👍👍👍", "👍…"),
        ("truncate:9, Bytes", "ääääää", "äää…"),
    ],
    "fits": [
        ("fits:5", "Login", "Login"),
        ("fits:5", "Logins", ""),
        ("fits:2|default:none", 123, "none"),
        ("fits:4,utf-16", "👍👍👍", ""),
        ("fits:2", None, ""),
    ],
    # More in test_omissions.py.
    "omit": [("omit:a", "x", "x"), ("omit:a", None, ""), ("default:y|omit:a", "", "y")],
    "default": [
        ("default:none", "", "none"),
        ("default: none ", None, "none"),
        ("default:none", [], "none"),
        ("default:none", 0, "0"),
        ("default:none", False, "false"),
        ("default:none", " ", " "),
        ("default:", None, ""),
    ],
    "date": [
        ("date:%d.%m.%Y", LATE, "04.03.2026"),
        ("date:%H:%M@Europe/Berlin", LATE, "00:05"),
        ("date:%d.%m.@ Europe/Berlin", LATE, "05.03."),
        ("date:'%H:%M, |'@America/New_York", LATE, "18:05, |"),
        ("date:'%H:%M@Asia/Tokyo'", LATE, "08:05"),
        ("date:%d @ %H %Z", LATE, "04 @ 23 UTC"),
        ("date:%d/%m/%y", "2026-03-04", "04/03/26"),
        ("date:%d@Asia/Tokyo", "2026-03-04", "04"),
        ("date:%d %H@Asia/Tokyo", "2026-03-04T20:00:00Z", "05 05"),
        ("date:%H@Asia/Tokyo", "2026-03-04T20:00:00", "20"),
        ("date:%-d.%-m.%%", date(2026, 3, 4), "4.3.%"),
        ("date:%Y", None, ""),
        ("date:%Y", "", ""),
    ],
    "upper": [("upper", "straße", "STRASSE"), ("upper", ["a", "b"], "A, B")],
    "lower": [("lower", "ABC Ä", "abc ä"), ("lower", None, "")],
    "title": [("title", "it's a LOGIN\nbug", "It's A Login\nBug")],
    "strip": [("strip", " \n a b\t", "a b")],
    "replace": [
        ("replace:a,b", "banana", "bbnbnb"),
        ("replace: ,_", "a b c", "a_b_c"),
        ("replace:a,", "banana", "bnn"),
        ("replace:',',';'", "a,b", "a;b"),
        (r"replace:'\n',<br>", "a\nb", "a<br>b"),
        ("replace:=,:", "a=b", "a:b"),
        ("replace:a,b", ["a", "ba"], "b, bb"),
    ],
    "join": [
        ("join:;", ["a", 1, True], "a;1;true"),
        ("join:, ", ["a", "b"], "a, b"),
        ("join:", ["a", "b"], "ab"),
        ("join:;", "a", "a"),
        ("join:;|upper", ["a", "b"], "A;B"),
    ],
    "json": [
        ("json", 'a"b', '"a\\"b"'),
        ("json", ["a", 1.5, None], '["a", 1.5, null]'),
        ("json", None, "null"),
        ("json", float("nan"), "null"),
        ("json", {"a": [float("inf"), Decimal("1.50")]}, '{"a": [null, 1.5]}'),
        ("json", date(2026, 3, 4), '"2026-03-04"'),
        ("json", "\ud83d", '"\\ud83d"'),
        ("json", ["ü", "\ud83d"], '["ü", "\\ud83d"]'),
    ],
    "url": [
        ("url", "a b/ü&?#", "a%20b%2F%C3%BC%26%3F%23"),
        ("url", ["a", "b"], "a%2C%20b"),
    ],
    "base64": [
        ("base64", "name:pässword", "bmFtZTpww6Rzc3dvcmQ="),
        ("base64", None, ""),
    ],
    # With their parsers: test_markdown.py.
    "markdown": [("markdown", "*a* [b](c) <d>", "\\*a\\* \\[b\\](c) \\<d\\>")],
    "github": [("github", "@a https://x.example/_", "@\u200ba <https://x.example/>\\_")],
    "gitlab": [("gitlab", "a\n/close", "a\n\\/close")],
    "discord": [("discord", "@here ||a||", "@\u200bhere \\|\\|a\\|\\|")],
    "linear": [("linear", "1. a\n=", "1\\. a\n\\=")],
    "slack": [("slack", "<!channel> a & b", "&lt;!channel&gt; a &amp; b")],
    "html": [
        ("html", "<b>\"a\" & 'b'", "&lt;b&gt;&quot;a&quot; &amp; &#39;b&#39;"),
        ("html", "a\r\nb", "a<br>b"),
        ("html", None, ""),
    ],
    "adf": [
        ("adf|json", None, "[]"),
        ("adf|json", " \r\n\t ", "[]"),
    ],
    "line": [
        ("line", " a\r\n\tb\u2028 c ", "a b c"),
        ("line", ["a\nb", "c"], "a b, c"),
        ("line", None, ""),
    ],
    "required": [
        ("required", "a", "a"),
        ("required", 0, "0"),
        ("default:x|required", "", "x"),
    ],
    "map": [
        ("map:Critical=P1,Major=P2,*=P3", "Critical", "P1"),
        ("map:Critical=P1, Major=P2, *=P3", "major", "P2"),
        ("map:Critical=P1,Major=P2,*=P3", "Minor", "P3"),
        ("map:Critical=P1,*=P3", None, "P3"),
        ("map:Critical=P1,=none", "", "none"),
        ("map:Critical=P1", "Minor", "Minor"),
        ("map:Critical=P1", None, ""),
        ("map:true=yes,false=no", True, "yes"),
        ("map:3=three", 3.0, "three"),
        ("map:'a,b'='c=d',x=y=z", "a,b", "c=d"),
        ("map:'a,b'='c=d',x=y=z", "x", "y=z"),
        ("map:a=\"1, 2\",b=3", "a", "1, 2"),
        ("map:a=1,*=2", ["a", "b"], "1, 2"),
    ],
}  # fmt: skip
ROWS = [row for rows in EXPECTED.values() for row in rows]


@pytest.mark.parametrize(("written", "value", "expected"), ROWS)
def test_a_filter_gives_its_result(written, value, expected):
    if "omit:" in written:
        sent = with_value(
            f'{{"a": "((External: v|{written}))"}}', value, OutputContext.JSON
        )
        assert json.loads(sent) == ({"a": expected} if expected else {})
        return
    assert with_value(f"((External: v|{written}))", value) == expected


def test_every_filter_has_an_expected_result():
    assert set(EXPECTED) == set(FILTERS)


def test_every_filter_is_described_and_its_example_compiles():
    for name, item in FILTERS.items():
        assert item.name == name
        assert item.meaning
        assert f"|{name}" in item.example
        assert (item.argument is None) == (f"|{name}:" not in item.example)
        example = item.example.replace("jira_login", "token")
        compiled(f'{{"email": "{example}"}}', OutputContext.JSON)


def test_a_filters_name_is_normalised():
    assert rendered("((Title| Upper ))") == "LOGIN FAILS"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (
            "truncate:5,",
            "'' is not a unit of length; there are characters, utf-16 and bytes.",
        ),
        (
            "fits:5,byte",
            "'byte' is not a unit of length; there are characters, utf-16 and bytes."
            " Did you mean bytes?",
        ),
        ("truncate:abc", "'abc' is not a whole number above 0."),
        ("truncate:0", "'0' is not a whole number above 0."),
        ("truncate:-1", "'-1' is not a whole number above 0."),
        ("truncate:²", "'²' is not a whole number above 0."),
        ("truncate:9999999999", "'9999999999' is not a whole number above 0."),
        ("truncate:", "'' is not a whole number above 0."),
        ("date:", "the filter date needs a format, as in date:%d.%m.%Y."),
        ("date:@UTC", "the filter date needs a format, as in date:%d.%m.%Y."),
        ("date:%d\0x", "a date format may hold no control characters."),
        ("date:%Q", "'%Q' means nothing in a date format."),
        ("date:100%", "a % in a date format needs a letter; write %% for %."),
        (
            "date:%H@Europe/Berln",
            "unknown time zone 'Europe/Berln'. Did you mean Europe/Berlin?",
        ),
        ("date:%H@../../etc/passwd", "unknown time zone '../../etc/passwd'."),
        ("date:%H@", "unknown time zone ''."),
        ("map:a", "'a' has no '='; write map:Critical=P1,Major=P2,*=P3."),
        ("map:a=1,b", "'b' has no '='; write map:Critical=P1,Major=P2,*=P3."),
        ("map:", "'' has no '='; write map:Critical=P1,Major=P2,*=P3."),
        ("map:a=1,A=2", "the filter map has 'A' twice."),
        ("replace:,x", "the filter replace needs a text to look for."),
        (
            "replace:a",
            "the filter replace needs two texts with a comma between, as in"
            ' replace:a,b or, for a comma itself, replace:",",b.',
        ),
    ],
)
def test_a_wrong_argument_is_refused_when_compiled(written, message):
    column = len("((Title|") + written.index(":") + 2
    assert problems(f"((Title|{written}))") == [f"Line 1, column {column}: {message}"]


def test_a_required_tag_without_value_fails_and_is_named():
    with pytest.raises(RenderError) as caught:
        rendered("((Title)) ((Field: Nothing|required))")
    assert caught.value.tag == "Field: Nothing"
    assert str(caught.value) == (
        "The tag ((Field: Nothing)) has no value, and the template requires one."
    )


@pytest.mark.parametrize("value", ["soon", "2026-13-01", 3, ["2026-01-01"], True])
def test_a_value_that_is_no_date_fails_and_is_not_quoted(value):
    with pytest.raises(RenderError) as caught:
        with_value("((External: v|date:%Y))", value)
    assert str(caught.value) == (
        "The tag ((External: v)) is not a date, so the filter date cannot write it."
    )


def test_a_date_past_the_calendars_end_fails():
    with pytest.raises(RenderError) as caught:
        with_value("((External: v|date:%Y@Asia/Tokyo))", "9999-12-31T23:00:00Z")
    assert caught.value.message == (
        "The tag ((External: v)) is a date that the filter date cannot write."
    )


def test_a_default_takes_the_type_of_its_tag():
    source = (
        "[((Field: Size (cm)|default:0)), ((Field: Size (cm)|default:-1.5)),"
        " ((Field: Size (cm)|default:007)), ((Field: Agreed?|default:false)),"
        " ((Field: Severity|default:0))]"
    )
    assert rendered(source, OutputContext.JSON, form_values={}) == (
        '[0, -1.5, "007", false, "0"]'
    )


def test_a_filter_keeps_lists_in_json():
    source = "[((Field: Browsers|upper)), ((Field: Browsers|map:Safari=S))]"
    assert rendered(source, OutputContext.JSON) == (
        '[["FIREFOX", "SAFARI"], ["Firefox", "S"]]'
    )


def test_values_as_text():
    values = [None, True, False, [1, None, "a"], (), 3.0, 2.5, 1e300, float("inf")]
    values += [date(2026, 3, 4), LATE, {"a": 1.0}, Decimal("1.50"), -0.0]
    assert [with_value("((External: v))", value) for value in values] == [
        "", "true", "false", "1, , a", "", "3", "2.5", "1e+300", "",
        "2026-03-04", "2026-03-04T23:05:06+00:00", '{"a": 1.0}', "1.50", "0",
    ]  # fmt: skip


def test_not_a_number_is_no_value():
    context = a_context(external_data={"v": float("nan")})
    assert compiled("((External: v))").empty_tags(context) == ["External: v"]


def test_jiras_document_has_a_node_for_each_line_and_paragraph():
    written = with_value(
        '{"content": ((External: v|adf))}', "one\ntwo\n\n \n<b>", OutputContext.JSON
    )
    assert json.loads(written)["content"] == [
        {
            "type": "paragraph",
            "content": [
                {"type": "text", "text": "one"},
                {"type": "hardBreak"},
                {"type": "text", "text": "two"},
            ],
        },
        {"type": "paragraph", "content": [{"type": "text", "text": "<b>"}]},
    ]
