"""`/healthz`, `/readyz` and `/metrics`: for machines, before all that is for people.

They ask no session and no host name, since whatever watches the service calls it by
its address. What they say is of no use to a stranger; the metrics are guarded.
"""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections import defaultdict
from collections.abc import Callable
from tempfile import TemporaryFile
from threading import Lock

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from redis.exceptions import RedisError

from centerhook import __version__
from feedback import mode
from feedback.access.addresses import client_address, parse_address, parse_networks
from feedback.database import ask_anew
from macros import queue

logger = logging.getLogger(__name__)

STATE_SECONDS = 2.0


class PartFailed(Exception):
    """What is wrong with a part of the service, as a sentence."""


def healthz(request: HttpRequest) -> HttpResponse:
    """The process responds. Asks nothing else, so that a database that is away makes no
    supervisor restart web servers."""
    return JsonResponse({"status": "ok", "version": __version__})


def readyz(request: HttpRequest) -> HttpResponse:
    """Whether each part responds; `exclude=redis` leaves one out, as in Kubernetes.

    Anybody may ask: each part is looked at once in STATE_SECONDS, however many do.
    """
    left_out = set(request.GET.getlist("exclude"))
    parts = {name: _recent_state(name) for name in PARTS if name not in left_out}
    is_ready = all(state == "ok" for state in parts.values())
    body = {
        "status": "ok" if is_ready else "failed",
        "version": __version__,
        "mode": _mode(),
        "parts": parts,
    }
    return JsonResponse(body, status=200 if is_ready else 503)


def _mode() -> str:
    """A paused installation is ready: pages and the API work."""
    try:
        return str(mode.current())
    except Error:
        return "unknown"


# What was last seen of each part, and when.
_states: dict[str, tuple[float, str]] = {}
# One for each part, so that one which hangs keeps nobody from the others.
_looking: dict[str, Lock] = defaultdict(Lock)


def _recent_state(name: str) -> str:
    """What is known while another thread looks; without that, what it will see."""
    at, state = _states.get(name, (-STATE_SECONDS, ""))
    if time.monotonic() - at < STATE_SECONDS:
        return state
    if not _looking[name].acquire(blocking=not state):
        return state
    try:
        at, state = _states.get(name, (-STATE_SECONDS, ""))
        if time.monotonic() - at >= STATE_SECONDS:
            state = _state(PARTS[name])
            _states[name] = time.monotonic(), state
    finally:
        _looking[name].release()
    return state


def _state(check: Callable[[], None]) -> str:
    try:
        check()
    except PartFailed as failure:
        logger.warning("Not ready: %s", failure)
        return str(failure)
    return "ok"


_IS_READ_ONLY = {
    "postgresql": "SHOW transaction_read_only",
    "sqlite": "PRAGMA query_only",
}


def _database() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(_IS_READ_ONLY[connection.vendor])
            [is_read_only] = cursor.fetchone()
    except Error:
        raise PartFailed("The database does not respond.") from None
    if is_read_only in ("on", 1):
        ask_anew()
        raise PartFailed("The database takes no writes: it is a standby or read-only.")


def _migrations() -> None:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error:
        raise PartFailed("The database does not respond.") from None
    if missing:
        first = missing[0][0]
        raise PartFailed(
            f"{len(missing)} migrations are missing, first {first}: run manage.py"
            " migrate."
        )


def _redis() -> None:
    try:
        queue.redis().ping()
    except RedisError:
        raise PartFailed(
            "Redis does not respond. Nothing is lost; what is due is sent later."
        ) from None


def _files() -> None:
    try:
        os.makedirs(settings.ATTACHMENTS_DIR, exist_ok=True)
        with TemporaryFile(dir=settings.ATTACHMENTS_DIR) as file:
            file.write(b"x")
    except OSError:
        raise PartFailed(
            "Files can't be written: ATTACHMENTS_DIR is missing, full or read-only."
        ) from None


PARTS: dict[str, Callable[[], None]] = {
    "database": _database,
    "migrations": _migrations,
    "redis": _redis,
    "files": _files,
}


def metrics(request: HttpRequest) -> HttpResponse:
    """For METRICS_TOKEN as a bearer, or from METRICS_NETWORKS; else not there."""
    if not _may_read_metrics(request):
        return HttpResponse(status=404)
    from .metrics import exposition

    return HttpResponse(
        exposition(), content_type="text/plain; version=0.0.4; charset=utf-8"
    )


def _may_read_metrics(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    wanted = settings.METRICS_TOKEN
    if wanted and scheme.lower() == "bearer":
        return secrets.compare_digest(token.strip().encode(), wanted.encode())
    caller = parse_address(client_address(request))
    networks = parse_networks("\n".join(settings.METRICS_NETWORKS))
    return caller is not None and any(caller in network for network in networks)


URLS = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}


def probes(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware, the first of all."""

    def middleware(request: HttpRequest) -> HttpResponse:
        view = URLS.get(request.path_info)
        if view is None:
            return get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        response = view(request)
        response["Cache-Control"] = "no-store"
        return response

    return middleware
