"""The threads that wait on the network. They touch neither database nor queue."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from queue import SimpleQueue

from logs.models import Delivery

from ..http import Answer, Client, Limits, Request, TransportError

NOT_STARTED = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Exchange:
    """One request on its way; the thread that sent it puts it into `finished`."""

    delivery: Delivery
    request: Request
    masked: Request
    finished: SimpleQueue[Exchange]
    started_at: datetime = NOT_STARTED
    total_ms: int = 0
    result: Answer | TransportError | Exception | None = None


class Sender:
    """A bounded pool of threads over one client's kept connections."""

    def __init__(self, client: Client, limits: Limits, threads: int) -> None:
        self._client = client
        self._limits = limits
        self._todo: SimpleQueue[Exchange | None] = SimpleQueue()
        self.size = threads
        self._threads = [
            threading.Thread(target=self._run, name=f"sender-{n}", daemon=True)
            for n in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, exchange: Exchange) -> None:
        self._todo.put(exchange)

    def close(self) -> None:
        for _ in self._threads:
            self._todo.put(None)
        for thread in self._threads:
            thread.join()
        self._client.close()

    def _run(self) -> None:
        while (exchange := self._todo.get()) is not None:
            exchange.started_at = datetime.now(UTC)
            begun = time.monotonic()
            try:
                exchange.result = self._client.send(
                    exchange.request, limits=self._limits
                )
            except Exception as error:
                # Whatever it is, the delivery must come back to be recorded.
                exchange.result = error
            exchange.total_ms = round((time.monotonic() - begun) * 1000)
            exchange.finished.put(exchange)
