"""The text of a response: in which charset its bytes are to be read."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Sequence

# Python's names of the charsets that the web knows (the WHATWG's Encoding standard).
# All of them are read in linear time, which is not so for `idna` or `punycode`.
_KNOWN = frozenset(
    {"utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"}
    | {"big5", "cp866", "cp874", "cp932", "cp949", "euc_jp", "gb18030", "iso2022_jp"}
    | {"koi8-r", "koi8-u", "mac-cyrillic", "mac-roman", "tis-620"}
    | {f"iso8859-{part}" for part in range(2, 17)}
    | {f"cp125{page}" for page in range(9)}
)
# What is labelled so is written by systems that mean the larger charset (WHATWG).
_MEANT = {
    "iso8859-1": "cp1252", "ascii": "utf-8", "gb2312": "gb18030", "gbk": "gb18030",
    "shift_jis": "cp932", "euc_kr": "cp949",
}  # fmt: skip
# Labels of the web that Python does not know.
_LABELS = {
    "windows-874": "cp874", "windows-31j": "cp932", "x-sjis": "cp932",
    "x-mac-cyrillic": "mac-cyrillic",
}  # fmt: skip
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PARAMETER = re.compile(r";[ \t]*charset[ \t]*=[ \t]*[\"']?([\w.:-]{1,40})", re.I)
_DECLARED = re.compile(rb"<\?xml[^>]{1,100}?encoding=[\"']([\w.:-]{1,40})")


def text_of(body: bytes, fields: Sequence[tuple[str, str]]) -> str:
    """A body as text; U+FFFD stands for bytes that its charset has not.

    A byte order mark says most about a charset, then the header, then the body itself:
    an XML declaration, or the zero bytes of JSON that is not in UTF-8 (RFC 4627, 3).
    Everything else is read as UTF-8.
    """
    for mark, charset in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(charset, "replace")
    kind = next((value for name, value in fields if name.lower() == _TYPE), "")
    charset = _charset_in(kind) or _charset_by_itself(body)
    return body.decode(charset, "replace")


_TYPE = "content-type"


def _charset_in(content_type: str) -> str:
    match = _PARAMETER.search(content_type) if ";" in content_type else None
    return _known(match[1]) if match else ""


def _charset_by_itself(body: bytes) -> str:
    if body.startswith(b"<?xml") and (match := _DECLARED.match(body)):
        return _known(match[1].decode("ascii", "replace")) or "utf-8"
    return json.detect_encoding(body)


def _known(label: str) -> str:
    """The charset of a label, or an empty string for one that nobody knows."""
    try:
        name = codecs.lookup(_LABELS.get(label.lower(), label)).name
    except LookupError:
        return ""
    name = _MEANT.get(name, name)
    return name if name in _KNOWN else ""
