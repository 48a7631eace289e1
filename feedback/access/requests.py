"""Who is at work: whoever the present request is from, or a command."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from django.http import HttpRequest

_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


@contextmanager
def during(request: HttpRequest) -> Iterator[None]:
    """What is done meanwhile is the work of whoever the request is from.

    Its user is looked up as late as that: an API finds out who calls after this began.
    """
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def present() -> HttpRequest | None:
    return _request.get()


def name_at_work() -> str:
    """The name of the user, or of the API key; of the command where there is none."""
    request = present()
    if request is None:
        return process_name()
    user = getattr(request, "user", None)
    return str(user.get_username()) if user is not None else ""


def process_name() -> str:
    """The name of the command that is at work without anybody's asking."""
    program, *arguments = sys.argv
    is_command = Path(program).name == "manage.py" and arguments
    return f"system ({arguments[0]})" if is_command else "system"
