"""What strangers send is read within bounds, or refused by a sentence."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedback.models.numbers import ExactEncoder
from feedback.texts import storable_in
from macros.listeners.payloads import (
    MAX_DEPTH,
    MAX_FIELDS,
    MAX_PARTS,
    Payload,
    Unreadable,
    kept_payload,
    read_payload,
)
from macros.models import PayloadFormat


def read(body: bytes, form: str = "json", content_type: str = "") -> object:
    headers = {"content-type": content_type} if content_type else {}
    return read_payload(form, body, headers, "").data


def why_not(body: bytes, form: str = "json", content_type: str = "") -> str:
    with pytest.raises(Unreadable) as caught:
        read(body, form, content_type)
    return str(caught.value)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"\xef\xbb\xbf{}", {}),
        (b' \n{"a": [1, true, null]}', {"a": [1, True, None]}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'"a\\u0000b"', "a\N{REPLACEMENT CHARACTER}b"),
        (b'{"\\u0000": 1}', {"\N{REPLACEMENT CHARACTER}": 1}),
        (b"12345678901234567890123", 12345678901234567890123),
        (b"0.1", 0.1),
        (b"19.990000000000000001", Decimal("19.990000000000000001")),
        (b"[1e-999999, 1234567890123456789]", [0.0, 1234567890123456789]),
        (b"1e300", 1e300),
        ('"Gr\xfcn"'.encode(), "Grün"),
    ],
)
def test_json_is_read_as_it_is_written(body, expected):
    value = read(body)
    assert value == expected and type(value) is type(expected)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "The body is empty, and JSON is expected."),
        (b" \n", "The body is empty, and JSON is expected."),
        (b"{", "The body is not JSON: "),
        (b"NaN", "The body is not JSON: "),
        (b"-Infinity", "The body is not JSON: "),
        (b"1e999", "The body is not JSON: "),
        (b"1" * 5_000, "The body is not JSON: "),
        (b'"\\ud800"', "The body is not JSON: "),
        (b'"\xff"', "The body is not JSON: "),
        (b'"\x00"', "The body is not JSON: "),
        ('{"a": 1}'.encode("utf-16"), "The body is not JSON: "),
        (b"[" * 200_000, "The body is not JSON: "),
        (b"[" * 200_000 + b"]" * 200_000, "The body is not JSON: "),
        (b"[" * 500 + b"]" * 500, "The body is nested more than 100 deep."),
        (b"[" + b"0," * MAX_PARTS + b"0]", "The body has more than 100,000 parts."),
    ],
)
def test_what_is_not_json_is_refused_by_a_sentence(body, why):
    message = why_not(body)
    assert message.startswith(why) and message.endswith(".")


def test_json_may_be_as_deep_as_a_path_goes():
    assert read(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    assert why_not(b"[" * (MAX_DEPTH + 2) + b"]" * (MAX_DEPTH + 2))


def test_a_form_is_text_by_name_and_a_list_where_a_name_comes_again():
    assert read(b"a=1&b=x+y&b=%C3%BC&c=", "form") == {
        "a": "1",
        "b": ["x y", "ü"],
        "c": "",
    }
    assert read(b"a=%00%FF", "form") == {"a": "\ufffd\ufffd"}
    assert why_not(b"a=1&" * (MAX_FIELDS + 1), "form") == (
        "It has more than 1,000 members."
    )


def test_the_member_payload_of_a_form_may_hold_json():
    assert read(b"payload=%7B%22a%22%3A1%7D&x=1", "form") == {
        "payload": {"a": 1},
        "x": "1",
    }
    assert read(b"payload=%7Bno", "form") == {"payload": "{no"}
    deep = b"payload=" + b"%5B" * 500 + b"%5D" * 500
    assert why_not(deep, "form") == "The body is nested more than 100 deep."


def test_a_form_in_parts_is_read_without_its_files():
    body = (
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\n'
        b"\r\nfile\r\n--x--\r\n"
    )
    assert read(body, "form", "multipart/form-data; boundary=x") == {"a": "1"}
    message = why_not(body, "form", "multipart/form-data")
    assert message.startswith("The body is not a form: ")


def test_xml_has_one_shape():
    body = b"""<?xml version="1.0" encoding="UTF-8"?>
        <s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:x">
          <line x:n="1" xmlns:x="urn:y">a &amp; b</line><line/><only> z </only>
          <!-- nothing --><![CDATA[<b>]]>
        </s:Envelope>"""
    assert read(body, "xml") == {
        "Envelope": {
            "line": [{"@n": "1", "#text": "a & b"}, None],
            "only": "z",
            "#text": "<b>",
        }
    }
    latin = "<?xml version='1.0' encoding='iso-8859-1'?><a>ü</a>".encode("latin-1")
    assert read(latin, "xml") == {"a": "ü"}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "The body is not XML: "),
        (b"<a>", "The body is not XML: "),
        (b"<a>&nope;</a>", "The body is not XML: "),
        (b"<a>\x00</a>", "The body is not XML: "),
        (b"<?xml version='1.0' encoding='nope'?><a/>", "The body is not XML: "),
        (b"<!DOCTYPE a><a/>", "The body has a DOCTYPE, which is not allowed."),
        (
            b'<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]><a>&d;</a>',
            "The body has a DOCTYPE, which is not allowed.",
        ),
        (
            b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
            "The body has a DOCTYPE, which is not allowed.",
        ),
        (
            "<!DOCTYPE a><a/>".encode("utf-16"),
            "The body has a DOCTYPE, which is not allowed.",
        ),
        (b"<a>" * 500, "The body is nested more than 100 deep."),
        (
            b"<a>" + b"<b/>" * MAX_PARTS + b"</a>",
            "The body has more than 100,000 parts.",
        ),
    ],
)
def test_bad_xml_is_refused_by_a_sentence(body, why):
    message = why_not(body, "xml")
    assert message.startswith(why) and message.endswith(".")


def test_text_is_a_text():
    assert read("Grün\0".encode(), "text") == "Grün\ufffd"
    assert read(b"Gr\xfcn", "text", "text/plain; charset=ISO-8859-1") == "Grün"
    assert read("Grün".encode(), "text", "text/plain; charset=nope") == "Grün"
    assert read(b"x", "text", "text/plain; charset=base64") == "x"
    assert why_not(b"Gr\xfcn", "text") == "The body is not text in UTF-8."


def test_names_of_headers_are_lower_case():
    payload = read_payload("json", b"{}", {"X-A": "1\0"}, "id=1&id=2&x=%00")
    assert payload.headers == {"x-a": "1\ufffd"}
    assert payload.query_values == {"id": ["1", "2"], "x": ["\ufffd"]}


def test_what_a_run_keeps_is_read_as_it_was():
    body = b'{"a": [1, 2.5, "\xc3\xbc\\u0000", 0.1234567890123456789, null, true]}'
    first = read_payload("json", body, {"x-a": "ü"}, "a=1")
    text = json.dumps(first.members, cls=ExactEncoder)
    again = kept_payload(text)
    assert text.isascii() and again is not None
    assert again.members == first.members
    assert kept_payload("") is None and kept_payload("•••") is None


_TEXTS = st.text() | st.binary().map(lambda raw: raw.decode("utf-8", "ignore"))
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(_TEXTS, inner),
    max_leaves=20,
)
_BODIES = (
    st.binary(max_size=300)
    | _JSON.map(lambda value: json.dumps(value).encode())
    | st.lists(
        st.sampled_from(
            [b"<a>", b"</a>", b"<!DOCTYPE a>", b"<x:b y='1'/>", b"&", b"\x00", b"a=1&"]
            + [b"--x\r\n", b"{", b"[", b'"', b"\\ud800", b"1e99", b"\xff", b"%00"]
        ),
        max_size=12,
    ).map(b"".join)
)


@pytest.mark.parametrize("form", PayloadFormat.values)
@settings(max_examples=60)
@given(
    body=_BODIES,
    content_type=st.sampled_from(["", "multipart/form-data; boundary=x"])
    | st.text(max_size=30),
)
def test_whatever_comes_is_read_or_unreadable(form, body, content_type):
    try:
        payload = read_payload(form, body, {"Content-Type": content_type}, "")
    except Unreadable as unreadable:
        assert str(unreadable).endswith(".")
        return
    assert isinstance(payload, Payload)
    kept = json.dumps(payload.members, cls=ExactEncoder)
    assert storable_in(payload.data) == payload.data
    again = kept_payload(kept)
    assert again is not None and again.data == payload.data
