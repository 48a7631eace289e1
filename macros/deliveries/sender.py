"""The threads that wait on the network. They touch neither database nor queue."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import TYPE_CHECKING

from logs.models import Delivery

from ..auth.credentials import Credentials, with_headers
from ..http import (
    AddressPolicy,
    Answer,
    Client,
    Limits,
    Request,
    TlsOptions,
    TransportError,
)
from ..steps import mail
from ..steps.echo import echo
from .lanes import Lane

if TYPE_CHECKING:
    from .work import Work

NOT_STARTED = datetime.min.replace(tzinfo=UTC)


class Clients:
    """The HTTP client behind the address policy, and one for what was opened."""

    def __init__(self, policy: AddressPolicy, connections: int) -> None:
        everywhere = AddressPolicy(["0.0.0.0/0", "::/0"])
        self.guarded = Client(policy, connections=connections)
        self.inside = Client(everywhere, connections=connections)

    def close(self) -> None:
        self.guarded.close()
        self.inside.close()


@dataclass(slots=True)
class Exchange:
    """One request on its way, and what came of it."""

    work: Work
    delivery: Delivery
    request: Request
    masked: Request
    origin: str
    lane: Lane
    token: str
    credentials: Credentials | None = None
    tls: TlsOptions | None = None
    # A superuser has opened this destination's inside address.
    inside: bool = False
    started_at: datetime = NOT_STARTED
    seconds: float = 0.0
    result: Answer | mail.Taken | TransportError | Exception | None = None

    def perform(self, clients: Clients, limits: Limits) -> Answer | mail.Taken:
        """Send it, with what only holds for this moment. Raises TransportError."""
        if self.work.run.is_echo:
            return echo(self.masked, limits)
        if self.credentials is None:
            return self._send(clients, limits)
        answer = self._send_with(self.credentials, clients, limits)
        if answer.status == 401 and self.credentials.refused(self.request):
            answer = self._send_with(self.credentials, clients, limits)
        return answer

    def _send_with(
        self, credentials: Credentials, clients: Clients, limits: Limits
    ) -> Answer:
        # A token comes from elsewhere: the opening is the destination's alone.
        headers = credentials.headers(self.request, clients.guarded, limits)
        self.request = with_headers(self.request, headers)
        # Masked by their names when they are written down.
        self.masked = with_headers(self.masked, headers)
        return self._send(clients, limits)

    def _send(self, clients: Clients, limits: Limits) -> Answer:
        client = clients.inside if self.inside else clients.guarded
        return client.send(self.request, limits=limits, tls=self.tls)


@dataclass(slots=True)
class MailExchange(Exchange):
    """An e-mail on its way to the mail server, by Django's e-mail backend."""

    def perform(self, clients: Clients, limits: Limits) -> mail.Taken:
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
        limits: Limits,
        finished: SimpleQueue[Exchange | int | None],
        threads: int,
    ) -> None:
        self._clients = clients
        self._limits = limits
        self._finished = finished
        self._most = threads
        self._todo: SimpleQueue[Exchange | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def submit(self, exchange: Exchange, on_the_wire: int) -> None:
        """Send soon. `on_the_wire` counts what is, this one included."""
        if len(self._threads) < min(on_the_wire, self._most):
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
                exchange.result = exchange.perform(self._clients, self._limits)
            except Exception as error:
                # Whatever it is, the delivery must come back to be recorded.
                exchange.result = error
            exchange.seconds = time.monotonic() - begun
            self._finished.put(exchange)
