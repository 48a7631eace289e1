"""The threads that wait on the network. They touch neither database nor queue."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from queue import SimpleQueue

from ..auth.credentials import Credentials, with_headers
from ..http import (
    AddressPolicy,
    Client,
    Limits,
    Request,
    Response,
    TlsOptions,
    TransportError,
)
from ..steps import mail
from ..steps.echo import echo

NOT_STARTED = datetime.min.replace(tzinfo=UTC)


class Clients:
    """The HTTP client behind the address policy, and one for what was opened."""

    def __init__(self, policy: AddressPolicy, limits: Limits, connections: int) -> None:
        everywhere = AddressPolicy(["0.0.0.0/0", "::/0"])
        self.limits = limits
        self.guarded = Client(policy, limits=limits, connections=connections)
        self.inside = Client(everywhere, limits=limits, connections=connections)

    def close(self) -> None:
        self.guarded.close()
        self.inside.close()


@dataclass(slots=True, eq=False)
class Exchange:
    """One request on its way, and what came of it.

    It leads to no row, no run and no queue: what has only this can touch neither.
    """

    request: Request
    masked: Request
    is_echo: bool = False
    credentials: Credentials | None = None
    tls: TlsOptions | None = None
    # A superuser has opened this destination's inside address.
    is_inside: bool = False
    # How much of the response is read, if more than is logged.
    max_bytes: int = 0
    started_at: datetime = NOT_STARTED
    seconds: float = 0.0
    result: Response | mail.Taken | TransportError | Exception | None = None

    def perform(self, clients: Clients) -> Response | mail.Taken:
        """Send it, with what only holds for this moment. Raises TransportError.

        All of it together has no more time than one request: the token, and a second
        try where the first one was refused.
        """
        if self.is_echo:
            return echo(self.masked, self._limits(clients).max_bytes)
        credentials = self.credentials
        if credentials is None:
            return self._send(clients)
        ends_at = time.monotonic() + clients.limits.deadline
        response = self._send_with(credentials, clients, ends_at)
        is_refused = response.status_code == 401
        if is_refused and credentials.refused(self.request, ends_at):
            response = self._send_with(credentials, clients, ends_at)
        return response

    def _send_with(
        self, credentials: Credentials, clients: Clients, ends_at: float
    ) -> Response:
        # A token comes from elsewhere: the opening is the destination's alone.
        headers = credentials.headers(self.request, clients.guarded, ends_at)
        self.request = with_headers(self.request, headers)
        # Masked by their names when they are written down.
        self.masked = with_headers(self.masked, headers)
        return self._send(clients, ends_at)

    def _send(self, clients: Clients, ends_at: float = math.inf) -> Response:
        client = clients.inside if self.is_inside else clients.guarded
        limits = self._limits(clients)
        request = self.request.prepare()
        return client.send(request, limits=limits, tls=self.tls, ends_at=ends_at)

    def _limits(self, clients: Clients) -> Limits:
        logged = clients.limits
        if self.max_bytes <= logged.max_bytes:
            return logged
        return replace(logged, max_bytes=self.max_bytes)


@dataclass(slots=True, eq=False)
class MailExchange(Exchange):
    """An e-mail on its way to the mail server, by Django's e-mail backend."""

    def perform(self, clients: Clients) -> mail.Taken:
        """Raises TransportError, MailRefused."""
        return mail.send(self.request)


class Sender:
    """A pool of threads over kept connections.

    Threads are started as they are needed, up to `threads`; each puts what it has
    finished into `finished`. `submit` is for one thread only, the engine's.
    """

    def __init__(
        self,
        clients: Clients,
        finished: SimpleQueue[Exchange | int | None],
        threads: int,
    ) -> None:
        self._clients = clients
        self._finished = finished
        self._max_threads = threads
        self._todo: SimpleQueue[Exchange | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def submit(self, exchange: Exchange, on_the_wire: int) -> None:
        """Send soon. `on_the_wire` counts what is, this one included."""
        if len(self._threads) < min(on_the_wire, self._max_threads):
            name = f"sender-{len(self._threads)}"
            thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        self._todo.put(exchange)

    def close(self) -> None:
        for _ in self._threads:
            self._todo.put(None)
        for thread in self._threads:
            thread.join()
        self._clients.close()

    def _run(self) -> None:
        while (exchange := self._todo.get()) is not None:
            exchange.started_at = datetime.now(UTC)
            begun = time.monotonic()
            try:
                exchange.result = exchange.perform(self._clients)
            except Exception as error:
                # Whatever it is, the delivery must come back to be recorded.
                exchange.result = error
            exchange.seconds = time.monotonic() - begun
            self._finished.put(exchange)
