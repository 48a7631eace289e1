"""In which charset a response's bytes are read."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from macros.http import text_of

TEXT = '{"key": "Grün-1"}'
JSON = "application/json"


def read(body: bytes, content_type: str = "") -> str:
    return text_of(body, [("content-TYPE", content_type)] if content_type else [])


@pytest.mark.parametrize(
    ("label", "charset"),
    [
        (label, label)
        for label in (
            "utf-8", "UTF-8", "utf8", "ISO-8859-1", "latin1", "ISO-8859-15", "utf-16",
            "windows-1252", "cp1252", "windows-1250", "utf-16le", "utf-16be", "utf-32",
            "iso-8859-2", "macintosh", "gb18030",
        )
    ]
    + [("us-ascii", "utf-8"), ("gbk", "gb18030")],
)  # fmt: skip
@pytest.mark.parametrize(
    "content_type",
    [f"{JSON}; charset={{}}", "text/plain;charset={}", 'text/html; a=b; Charset="{}"'],
)
def test_the_header_names_the_charset(
    label: str, charset: str, content_type: str
) -> None:
    assert read(TEXT.encode(charset), content_type.format(label)) == TEXT


@pytest.mark.parametrize(
    ("label", "charset", "text"),
    [
        ("shift_jis", "cp932", "日本①"),
        ("windows-31j", "cp932", "日本①"),
        ("euc-jp", "euc-jp", "日本"),
        ("iso-2022-jp", "iso2022-jp", "日本"),
        ("ks_c_5601-1987", "cp949", "한국"),
        ("big5", "big5", "中文"),
        ("koi8-r", "koi8-r", "Привет"),
        ("windows-1251", "cp1251", "Привет"),
        ("windows-874", "cp874", "ไทย"),
        ("iso-8859-1", "cp1252", "“1 €”"),
        ("iso-8859-16", "iso8859-16", "Ș €"),
        ("windows-1258", "cp1258", "ơ ư"),
    ],
)
def test_labels_mean_what_they_mean_on_the_web(
    label: str, charset: str, text: str
) -> None:
    assert read(text.encode(charset), f"text/plain; charset={label}") == text


@pytest.mark.parametrize("part", [*range(2, 12), *range(13, 17)])
def test_all_parts_of_iso_8859_are_read(part: int) -> None:
    body = bytes(range(0xA0, 0x100))
    text = body.decode(f"iso8859-{part}", "replace")
    assert read(body, f"text/plain; charset=ISO-8859-{part}") == text


@pytest.mark.parametrize(
    ("mark", "charset"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
@pytest.mark.parametrize("content_type", ["", JSON, f"{JSON}; charset=iso-8859-1"])
def test_a_byte_order_mark_says_most(
    mark: bytes, charset: str, content_type: str
) -> None:
    assert read(mark + TEXT.encode(charset), content_type) == TEXT


@pytest.mark.parametrize(
    "charset", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]
)
@pytest.mark.parametrize("text", [TEXT, "1", "11", "111"])
def test_json_says_it_by_its_zero_bytes(charset: str, text: str) -> None:
    assert read(text.encode(charset), JSON) == text


def test_xml_says_it_in_its_declaration() -> None:
    text = '<?xml version="1.0" encoding="ISO-8859-1"?><a>Grün</a>'
    assert read(text.encode("latin-1"), "text/xml") == text


@pytest.mark.parametrize(
    "label",
    ["idna", "punycode", "unicode_escape", "base64", "utf-7", "nobody", "\0", ""],
)
def test_a_charset_that_nobody_knows_is_read_as_utf_8(label: str) -> None:
    assert read(TEXT.encode(), f"{JSON}; charset={label}") == TEXT


@given(st.binary(), st.text(max_size=60))
def test_any_bytes_are_read(body: bytes, content_type: str) -> None:
    assert isinstance(read(body, content_type), str)
