"""The forms in which a secret may turn up in what a receiver writes."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import lru_cache
from html import escape
from itertools import product
from urllib.parse import quote, quote_plus

from .finding import Echoes

# The part of a URL after its host, where it is long enough to be a secret's.
_PATH = re.compile(r"https?://[^/]+/(.{12,})", re.IGNORECASE)
# What JSON encoders that write for web pages escape besides: Go's, and .NET's or PHP's.
_ESCAPED_IN_JSON = ("<>&", "<>&'\"+`")
# Nobody writes a longer one, such as a key in PEM, letter by letter.
_MAX_UNUSUAL = 1_000


def echoes(secrets: Iterable[str], sent: Iterable[str] = ()) -> Echoes:
    """What to look for in a response or a message.

    `sent` are texts that hold a secret as it goes out, with its filters and escapes:
    a receiver gives them back as they came, or written once more in its own way.
    """
    return Echoes(frozenset().union(*map(_forms_of, {*secrets, *sent})))


@lru_cache(maxsize=256)
def _forms_of(secret: str) -> frozenset[str]:
    path = _PATH.match(secret)
    # Receivers quote the path in their errors.
    wholes = {secret, path[1]} if path else {secret}
    # Lower case is how a host is written down.
    turned = wholes | _in_base64(secret) | {secret.lower()}
    unusual: set[str] = set()
    if len(secret) <= _MAX_UNUSUAL:
        for whole in wholes:
            # A plus is a space to who takes it for a form's.
            turned |= {whole.upper(), whole[::-1], whole.replace("+", " ")}
            unusual |= {*_letter_by_letter(whole), *_json_for_pages(whole)}
            # JSON in JSON, or a URL in a URL.
            turned |= written_forms(whole)
    return frozenset(unusual.union(*map(written_forms, turned)))


@lru_cache(maxsize=256)
def written_forms(value: str) -> frozenset[str]:
    """How a receiver may write a value: as it is, in a URL, in JSON, or in XML."""
    in_json = json.dumps(value)[1:-1]
    in_text_json = json.dumps(value, ensure_ascii=False)[1:-1]
    in_url = {quote(value, safe="", errors="replace")}
    in_url |= {quote(value, errors="replace"), quote_plus(value, errors="replace")}
    return frozenset(
        {
            value,
            in_json,
            in_json.replace("/", "\\/"),
            in_text_json,
            in_text_json.replace("/", "\\/"),
            escape(value),
            *in_url,
            *(re.sub("%..", lambda code: code[0].lower(), each) for each in in_url),
        }
    )


def _in_base64(value: str) -> set[str]:
    """The base64 of a value at each of the three offsets it can have in a text.

    The characters at the edges are left out: they depend on the neighbours too.
    """
    forms = set()
    for before in range(3):
        data = b"\0" * before + value.encode("utf-8", "replace")
        whole = b64encode(data).decode().rstrip("=")
        inner = whole[-(-before * 8 // 6) : len(data) * 8 // 6]
        forms |= {inner, inner.replace("+", "-").replace("/", "_")}
    return forms


def _letter_by_letter(value: str) -> Iterator[str]:
    """Every letter as a number: in hex, as an escape of JSON, of a URL, of HTML."""
    data = value.encode("utf-8", "replace")
    units = _units(value)
    for written in (data.hex(), data.hex().upper()):
        pairs = [written[at : at + 2] for at in range(0, len(written), 2)]
        yield from (mark.join(["", *pairs]) for mark in ("%", "\\x"))
        yield from (mark.join(pairs) for mark in ("", " ", ":", "-"))
    for mark in ("\\u{:04x}", "\\u{:04X}"):
        yield "".join(mark.format(unit) for unit in units)
    for mark in ("&#{};", "&#x{:x};", "&#x{:X};"):
        yield "".join(mark.format(ord(letter)) for letter in value)


def _json_for_pages(value: str) -> Iterator[str]:
    marks = ("\\u{:04x}", "\\u{:04X}")
    for escaped, mark, is_ascii in product(_ESCAPED_IN_JSON, marks, (True, False)):
        pieces = {
            letter: "".join(mark.format(unit) for unit in _units(letter))
            if letter in escaped or (is_ascii and not letter.isascii())
            else json.dumps(letter, ensure_ascii=False)[1:-1]
            for letter in set(value)
        }
        yield "".join(map(pieces.__getitem__, value))


def _units(text: str) -> list[int]:
    """As UTF-16 has them."""
    data = text.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(data[at : at + 2]) for at in range(0, len(data), 2)]
