"""The built-in echo: what would be sent comes back, and nothing goes out."""

from __future__ import annotations

import json

from logs.redaction import mask_header, mask_url

from ..http import Answer, Limits, Request, Timings


def echo(masked: Request, limits: Limits) -> Answer:
    """The request as its own answer, as people may see it. Never raises."""
    told = {
        "method": masked.method,
        "url": mask_url(masked.url),
        "headers": {name: mask_header(name, value) for name, value in masked.headers},
        "body": _body(masked.body),
    }
    body = json.dumps(told, ensure_ascii=False, indent=2).encode("utf-8", "replace")
    return Answer(
        status=200,
        reason="OK",
        headers=[("Content-Type", "application/json")],
        body=body[: limits.max_bytes],
        cut="size" if len(body) > limits.max_bytes else "",
        timings=Timings(),
    )


def _body(body: bytes | None) -> object:
    """JSON stays JSON, so that return values can be tried on it."""
    text = (body or b"").decode("utf-8", "replace")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
