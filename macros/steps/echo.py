"""The built-in echo: what would be sent comes back, and nothing goes out."""

from __future__ import annotations

import json

from logs.redaction import mask_header, mask_url

from ..http import Request, Response


def echo(masked: Request, max_bytes: int) -> Response:
    """The request as its own response, as people may see it. Never raises."""
    parts = {
        "method": masked.method,
        "url": mask_url(masked.url),
        "headers": {name: mask_header(name, value) for name, value in masked.headers},
        "body": _body(masked.text),
    }
    body = json.dumps(parts, ensure_ascii=False, indent=2).encode("utf-8", "replace")
    return Response(
        masked.prepare(),
        200,
        "OK",
        [("Content-Type", "application/json")],
        body[:max_bytes],
        cut="size" if len(body) > max_bytes else "",
    )


def _body(text: str) -> object:
    """JSON stays JSON, so that return values can be tried on it."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
