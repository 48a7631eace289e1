"""Calls of other systems, as they come through the first middleware."""

from __future__ import annotations

import io
import time
from typing import Any

from django.test import Client, RequestFactory

from macros.listeners import door
from macros.models import InboundCall, InboundRefusal, Listener
from tests.door import signing

BODY = b'{"issue": {"key":  "BUG-1"}}'


def path_of(listener: Listener | str) -> str:
    """A listener's, or the path itself, which asks the database nothing."""
    return listener if isinstance(listener, str) else f"/hooks/{listener.key}/"


def call(
    listener: Listener | str,
    body: bytes = BODY,
    *,
    method: str = "POST",
    query: str = "",
    content_type: str = "application/json",
    headers: dict[str, str] | None = None,
    **meta: Any,
) -> Any:
    """Through everything, without a signature unless `headers` have one."""
    return Client(headers=headers or {}).generic(
        method,
        path_of(listener),
        body,
        content_type=content_type,
        QUERY_STRING=query,
        **meta,
    )


def signed(listener: Listener | str, body: bytes = BODY, **values: Any) -> Any:
    now = int(time.time())
    headers = signing.standard(body, signing.SECRET, now) | values.pop("headers", {})
    return call(listener, body, headers=headers, **values)


def raw(listener: Listener, body: bytes, **meta: Any) -> Any:
    """With any declared length, or none: `meta` is the server's."""
    request = RequestFactory().post(path_of(listener), b"", "application/json")
    request.META.update(meta)
    stream = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    environ = {**request.META, **stream, **meta}
    return door.respond(type(request)(environ))


def refusals_of(listener: Listener) -> list[tuple[str, str, int]]:
    rows = InboundRefusal.objects.filter(listener=listener).order_by("pk")
    return list(rows.values_list("reason", "address", "count"))


def stored(listener: Listener) -> list[InboundCall]:
    return list(InboundCall.objects.filter(listener=listener).order_by("pk"))
