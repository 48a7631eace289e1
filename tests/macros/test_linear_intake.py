"""Whatever a stranger sends is taken in with work in proportion to its length, at most.

Steps of the interpreter are counted, since a clock on a busy machine proves nothing,
and each function that meets the text of others is given one twice as long, again and
again. What is bounded may stop to grow.
"""

from __future__ import annotations

import gc
import gzip
import json
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from types import FrameType
from typing import Any

import pytest

from feedback.texts import storable
from logs.redaction import (
    Echoes,
    credentials_in,
    echoes,
    header_lines,
    mask_typed,
    mask_url,
    replace_members,
    written_forms,
)
from macros.deliveries.capture import captures_of
from macros.extraction import Reading, compile_rows
from macros.extraction.budget import MAX_STEPS
from macros.http import text_of
from macros.http.decoding import decode
from macros.http.parsing import ResponseParser, repaired
from macros.retries import asked_to_wait, compile_conditions

# What is given at first, and how often it is doubled: up to 64,000 characters.
FIRST, DOUBLINGS = 1_000, 6
NOW = datetime(2026, 1, 1, tzinfo=UTC)
# Beyond doubling: dictionaries that grow, and what is done once.
SLACK = 1.15

SECRETS = [
    "s3cret-token-of-ours",
    "https://hooks.example.com/services/T0/B0/XXXX",
    "a" * 40,
    "ab" * 30,
]
PIECES = {
    "a letter": "a",
    "two letters": "ab",
    "question marks": "?",
    "parameters": "&token=abcdef",
    "unfinished parameters": "?token",
    "quotes": '"',
    "escapes": '\\"',
    "members": '"token": "abcdef", ',
    "unfinished members": '"token": "',
    "brackets": "[",
    "empty lists": "[],",
    "objects": '{"a":1},',
    "tags": "((a))",
    "unfinished tags": "((secret: ",
    "elements": "<token>abcdef</token>",
    "unfinished elements": "<a>b",
    "lines": "token: abcdef\n",
    "returns": "\r",
    "folded lines": "\r\n ",
    "commas": ",",
    "semicolons": "; charset=",
    "percents": "%41",
    "a declaration": '<?xml encoding="',
    "digits": "9",
    "the end of a secret": SECRETS[0][-6:],
    "the start of a secret": SECRETS[0][:6],
    "a secret": SECRETS[0],
    "surrogates": "\ud83d",
    "zeros": "\0",
    "emoji": "\N{GRINNING FACE}",
}
FORMS = echoes(SECRETS)
HEAVY = compile_rows(
    {
        "name": f"v{number}",
        "source": source,
        "expression": expression,
        "type": kind,
        "when": "always",
        "required": True,
    }
    for number, (source, expression, kind) in enumerate(
        [
            ("json", "$..*", "list"),
            ("json", "$..[?search(@, @)]", "list"),
            ("json", "$[?@ == $[0] || @ == $[1] || @.a == 1]", "list"),
            ("json", "$" + "[*,*]" * 20, "text"),
            ("json", "$[?count($..*) > 1]", "text"),
            ("text", "(?:(?:a|b){1,30}){1,30}c", "text"),
            ("text", "a*", "list"),
            ("header", "X-A", "date"),
        ]
    )
)


def parse(text: str) -> None:
    data = text.encode("utf-8", "replace")
    parser = ResponseParser()
    parser.feed(b"HTTP/1.1 200 OK\r\n" + data)
    with suppress(Exception):
        repaired(bytearray(b"HTTP/1.1 200 OK\r\n" + data + b"\r\n\r\n"))


def undo(text: str) -> None:
    data = text.encode("utf-8", "replace")
    for packed in (data, gzip.compress(data), zlib.compress(data)):
        decode(packed, "gzip", 10**6)
        decode(packed, "deflate", 10**6)
        decode(packed * 3, "gzip, deflate, gzip", 10**6)


def read(text: str, body: str) -> None:
    text, body = storable(text), storable(body)
    captures_of(HEAVY, Reading(200, [("X-A", text)], body, redact=FORMS.redact))


FUNCTIONS: dict[str, Callable[[str], object]] = {
    "storable": storable,
    "text_of": lambda text: text_of(text.encode("utf-8", "replace"), []),
    "text_of, by header": lambda text: text_of(b"", [("Content-Type", text)]),
    "parsing": parse,
    "decoding": undo,
    "asked_to_wait": lambda text: asked_to_wait(
        429,
        [("Retry-After", text), ("X-RateLimit-Reset", text)],
        text,
        compile_conditions("400 body RATELIMITED"),
        NOW,
    ),
    "header_lines": lambda text: header_lines([("X-A", text), (text, "a")]),
    "many headers": lambda text: header_lines((each, each) for each in text.split()),
    "mask_url": lambda text: mask_url(f"https://a.example/{text}"),
    "credentials_in": lambda text: credentials_in([("X-Key", text)], f"?{text}").forms,
    "written_forms": lambda text: written_forms.__wrapped__(text),
    "mask_typed, url": lambda text: mask_typed(text, "url"),
    "mask_typed, json": lambda text: mask_typed(text, "json"),
    "mask_typed, xml": lambda text: mask_typed(text, "xml"),
    "mask_typed, header": lambda text: mask_typed(text, "header"),
    "mask_typed, form": lambda text: mask_typed(text, "form"),
    "replace_members": lambda text: replace_members(text, lambda name, value: ""),
    "redact": FORMS.redact,
    "redact, made for each other": lambda text: Echoes([text, text[1:]]).redact(text),
    "redact_end": FORMS.redact_end,
    "redact_end, made for each other": lambda text: Echoes(
        [f"{text}b", f"{text[: len(text) // 2]}b"]
    ).redact_end(text),
    "return values": lambda text: read(text, text),
    "return values in a list": lambda text: read(text, json.dumps([text] * 9)),
    "return values in lists": lambda text: read("", f"[{text.rstrip(',')}]"),
}

# These work by a budget: up to it they may take what they like.
BOUNDED = {name: 50 * MAX_STEPS for name in FUNCTIONS if "return values" in name}


@contextmanager
def counting() -> Iterator[list[int]]:
    counted = [0]

    def count(frame: FrameType, event: str, argument: object) -> Any:
        counted[0] += 1
        return count

    before = sys.gettrace()
    # What the collector ends of earlier tests is no step of this one.
    gc.disable()
    sys.settrace(count)
    try:
        yield counted
    finally:
        sys.settrace(before)
        gc.enable()


def steps(act: Callable[[str], object], text: str) -> int:
    with counting() as counted, suppress(ValueError):
        act(text)
    return counted[0]


@pytest.mark.sweep
@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_twice_the_text_takes_at_most_twice_the_steps(name: str, piece: str) -> None:
    act, written = FUNCTIONS[name], PIECES[piece]
    act(written)
    once = steps(act, "")
    before = 0
    for doubling in range(DOUBLINGS + 1):
        length = FIRST << doubling
        taken = steps(act, (written * (length // len(written) + 1))[:length])
        if before:
            most = max(SLACK * 2 * before + once, BOUNDED.get(name, 0))
            assert taken <= most, f"{length:,} characters"
        before = taken


def test_what_return_values_cost_is_bounded_whatever_comes() -> None:
    for body in (f"[{'[],' * 30_000}1]", json.dumps(["ab" * 300_000] * 3)):
        reading = Reading(200, [], body)
        captures_of(HEAVY, reading)
        assert reading.budget.left <= 0 < MAX_STEPS
