"""The addresses that other systems call."""

from __future__ import annotations

from django.conf import settings

from ..models import Listener

PREFIX = "/hooks/"


def listener_url(listener: Listener) -> str:
    """The present one; without its key where it has none yet."""
    key = listener.key
    return f"{settings.BASE_URL}{PREFIX}{key}/" if key else settings.BASE_URL + PREFIX


def key_in(path: str) -> str:
    """The key in a path below PREFIX, with a slash after it or not; else empty."""
    key = path.removeprefix(PREFIX).removesuffix("/")
    return "" if "/" in key else key
