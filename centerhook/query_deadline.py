"""No page keeps the database at work for longer than people wait for it.

A query of a page or an API request is stopped by the database itself after
QUERY_DEADLINE, and what only reads gets no more queries than fit into that time. So a
page that nobody waits for any more does not go on. Workers and commands have no such
limit: nobody waits for them.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from math import inf
from time import monotonic
from typing import Any, cast

from django.conf import settings
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from feedback.rest import details

from .middleware import is_for_programs

logger = logging.getLogger(__name__)

READING = frozenset(["GET", "HEAD", "OPTIONS"])
# SQLite looks at the time after so many of its own steps: a few milliseconds.
_STEPS = 10_000
# PostgreSQL's query_canceled.
_CANCELED = "57014"

GetResponse = Callable[[HttpRequest], HttpResponseBase]
Execute = Callable[[str, Any, bool, Any], Any]


class TookTooLong(OperationalError):
    """The time for all queries of a request is over."""


class QueryDeadline:
    """Middleware: the limit for whatever a request asks the database."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        seconds = settings.QUERY_DEADLINE
        in_all = seconds if request.method in READING else inf
        with _limited(seconds, in_all):
            response = self.get_response(request)
        if isinstance(response, StreamingHttpResponse):
            # Its queries come when it is sent. All of it may take long.
            content = cast(Iterable[bytes], response.streaming_content)
            response.streaming_content = _streamed(content, seconds)
        return response

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponse | None:
        if not was_stopped(exception):
            return None
        method, path = request.method, ascii(request.path[:200])
        logger.warning("QUERY_DEADLINE stopped %s %s", method, path)
        return _too_long(request)


def was_stopped(error: BaseException | None) -> bool:
    """Whether an error is that of a query that took too long."""
    while error is not None:
        if isinstance(error, TookTooLong) or _is_interrupt(error):
            return True
        error = error.__cause__
    return False


def _is_interrupt(error: BaseException) -> bool:
    if isinstance(error, sqlite3.OperationalError):
        return error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT
    return getattr(error, "sqlstate", None) == _CANCELED


def _too_long(request: HttpRequest) -> HttpResponse:
    shown = f"{settings.QUERY_DEADLINE:g}"
    if is_for_programs(request):
        return details.response(
            503,
            "took_too_long",
            f"The database took longer than {shown} s for this, so it was stopped, and"
            " what it had begun was undone. Ask for less at once: by more conditions,"
            " fewer words to search for, pages; or let a data package be stored.",
        )
    page = {"seconds": shown, "is_reading": request.method in READING}
    return render(request, "503.html", page, status=503)


def _streamed(content: Iterable[bytes], seconds: float) -> Iterator[bytes]:
    with _limited(seconds, inf):
        yield from content


@contextmanager
def _limited(seconds: float, in_all: float) -> Iterator[None]:
    limit = _Limit(seconds, in_all)
    try:
        with connection.execute_wrapper(limit):
            yield
    finally:
        limit.lift()


class _Limit:
    """The time for each query, and for all that only read."""

    def __init__(self, seconds: float, in_all: float) -> None:
        self.seconds = seconds
        self.ends = monotonic() + in_all
        self.query_ends = self.ends
        # Who has been told, within which transactions.
        self.driver: Any = None
        self.blocks: list[Any] = []

    def __call__(
        self, execute: Execute, sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        now = monotonic()
        self.query_ends = now + self.seconds
        # What is left to write, such as a session, is written.
        if sql.startswith("SELECT"):
            if now > self.ends:
                raise TookTooLong
            self.query_ends = min(self.ends, self.query_ends)
        self._tell()
        return execute(sql, params, many, context)

    def _tell(self) -> None:
        """PostgreSQL forgets it with the transaction in which it was told."""
        driver, blocks = connection.connection, connection.atomic_blocks
        is_known = blocks[: len(self.blocks)] == self.blocks
        if driver is self.driver and is_known:
            return
        self.driver, self.blocks = driver, [*blocks]
        if connection.vendor == "sqlite":
            self.driver.set_progress_handler(self._is_over, _STEPS)
        else:
            # To the driver itself, since it is no query of the page's.
            milliseconds = max(1, round(self.seconds * 1000))
            with connection.wrap_database_errors:
                self.driver.execute(f"SET statement_timeout = {milliseconds}")

    def _is_over(self) -> bool:
        return monotonic() > self.query_ends

    def lift(self) -> None:
        """For whatever has the connection next."""
        if self.driver is None or connection.connection is not self.driver:
            return
        if connection.vendor == "sqlite":
            self.driver.set_progress_handler(None, 0)
            return
        with suppress(Exception):  # A connection that was lost is not used again.
            self.driver.execute("RESET statement_timeout")
