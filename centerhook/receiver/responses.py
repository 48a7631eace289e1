"""How the receiver behaves, by the first part of the path."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable

from .messages import Reply, reply

MAX_DELAY = 60.0
JSON = "application/json"

_OK = reply(200, "ok")
_FAILED = reply(500, "The tracker is down for maintenance.")
_UNKNOWN = reply(
    404, "Try /slack/, /jira/, /shippo/, /ok, /status/<code>, /delay/<ms>, /fail/."
)
_issue_numbers = itertools.count(1)
_address_numbers = itertools.count(1)


def _jira(rest: str) -> Reply:
    number = next(_issue_numbers)
    issue = {"id": str(10000 + number), "key": f"DEMO-{number}"}
    return reply(201, json.dumps(issue), JSON)


def _shippo(rest: str) -> Reply:
    """Every second address is valid."""
    number = next(_address_numbers)
    good = number % 2 == 1
    text = "The address was found." if good else "The street was not found."
    address = {
        "object_id": f"demo{number:06}",
        "validation_results": {"is_valid": good, "messages": [{"text": text}]},
    }
    return reply(201, json.dumps(address), JSON)


def _status(rest: str) -> Reply:
    code = _leading_number(rest)
    if code is None or not 200 <= code <= 599:
        return reply(400, "Give a status from 200 to 599.")
    location = ("Location: /ok",) if 300 <= code < 400 else ()
    return reply(code, "", "text/plain", *location)


def _delay(rest: str) -> Reply:
    milliseconds = _leading_number(rest)
    if milliseconds is None:
        return reply(400, "Give the delay in milliseconds.")
    return Reply(200, _OK.data, min(milliseconds / 1000, MAX_DELAY))


def _leading_number(rest: str) -> int | None:
    text = rest.partition("/")[0]
    fits = text.isascii() and text.isdigit() and len(text) < 10
    return int(text) if fits else None


_RESPONSES: dict[str, Callable[[str], Reply]] = {
    "slack": lambda rest: _OK,
    "ok": lambda rest: _OK,
    "fail": lambda rest: _FAILED,
    "jira": _jira,
    "shippo": _shippo,
    "status": _status,
    "delay": _delay,
}


def respond(path: str) -> Reply:
    """The response that the first part of the path asks for; 404 if it is unknown."""
    first, _, rest = path[1:].partition("/")
    build = _RESPONSES.get(first)
    return build(rest) if build else _UNKNOWN
