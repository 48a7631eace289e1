"""The receiver's own pages: what it received, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs

from django.template import Context, Engine

from .calling_back import CallBack, ticket_in
from .memory import Memory, Received
from .messages import Reply, reply
from .responses import JSON

FOLDER = Path(__file__).parent
# How many requests the page for people shows.
SHOWN = 50
SAFE = (
    "Content-Security-Policy: default-src 'none'; style-src 'self';"
    " form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options: nosniff",
    "Cache-Control: no-store",
)

_BACK = reply(HTTPStatus.SEE_OTHER, "", "text/plain", "Location: /")

_engine = Engine(dirs=[str(FOLDER)])


def page(request: Received, memory: Memory, caller: CallBack | None) -> Reply | None:
    """The response, if the request is for one of the receiver's own pages."""
    match request.method, request.path:
        case "GET" | "HEAD", "/":
            return reply(200, _html(memory, caller), "text/html; charset=utf-8", *SAFE)
        case "GET" | "HEAD", "/style.css":
            style = (FOLDER / "style.css").read_text()
            return reply(200, style, "text/css; charset=utf-8", *SAFE)
        case "GET" | "HEAD", "/received.json":
            query = parse_qs(request.target.partition("?")[2])
            with_ids = query.get("ids") != ["0"]
            return reply(200, json.dumps(_data(memory, with_ids)), JSON, *SAFE)
        case "GET" | "HEAD", "/favicon.ico":
            return reply(HTTPStatus.NO_CONTENT)
        case "POST", "/reset":
            memory.clear()
            return _BACK
        case "POST", "/close" if caller is not None:
            ticket = parse_qs(request.text).get("ticket", [""])[0]
            if not (ticket.isascii() and ticket.isdecimal() and len(ticket) < 19):
                return reply(HTTPStatus.BAD_REQUEST, "Give the ID of a ticket.")
            caller.close_issue(ticket)
            return _BACK
    return None


def _data(memory: Memory, with_ids: bool) -> dict[str, object]:
    data: dict[str, object] = {"total": memory.total, "paths": memory.paths}
    if with_ids:
        data["ids"] = memory.ids
    data["requests"] = [
        {
            "at": request.at,
            "method": request.method,
            "target": request.target,
            "headers": request.headers,
            "body": request.text,
            "status": request.status,
        }
        for request in memory.requests
    ]
    return data


def _html(memory: Memory, caller: CallBack | None) -> str:
    context = {
        "total": memory.total,
        "deliveries": len(memory.ids),
        "repeated": memory.repeated,
        "paths": memory.paths.most_common(20),
        "more_paths": max(0, len(memory.paths) - 20),
        "rows": list(_rows(memory)),
        "calls_back": caller is not None,
        "sent": list(caller.sent)[::-1] if caller else [],
    }
    return _engine.get_template("page.html").render(Context(context, use_l10n=False))


def _rows(memory: Memory) -> Iterator[dict[str, object]]:
    for request in list(memory.requests)[: -SHOWN - 1 : -1]:
        yield {
            "at": f"{datetime.fromtimestamp(request.at, UTC):%H:%M:%S} UTC",
            "method": request.method,
            "target": request.target,
            "status": request.status,
            "went_well": request.status < 400,
            "delivery_id": request.delivery_id,
            "headers": request.headers,
            "body": _readable(request),
            "ticket": ticket_in(request.text),
        }


def _readable(request: Received) -> str:
    """The body, laid out if it is JSON."""
    try:
        return json.dumps(request.json(), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return request.text
