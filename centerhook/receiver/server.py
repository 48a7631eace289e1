"""The receiver: one event loop, one write per response."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from types import TracebackType
from typing import Self, cast

from .calling_back import CallBack
from .memory import Memory, Received
from .messages import BadRequest, Parsed, Reply, parse, reply
from .pages import page
from .responses import respond


class Connection(asyncio.Protocol):
    """One client; its requests are answered in the order they came.

    A response leaves in a single write, so in one segment where it fits: with two, a
    client that delays its acknowledgements gets some 20 responses a second. asyncio
    sets TCP_NODELAY by itself.
    """

    def __init__(
        self, memory: Memory, connections: set[Connection], caller: CallBack | None
    ) -> None:
        self._memory = memory
        self._caller = caller
        self._connections = connections
        self._buffer = b""
        self._delayed: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        if self._delayed:
            self._delayed.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._respond_to_all()

    def _respond_to_all(self) -> None:
        try:
            while (
                self._buffer and not self._delayed and not self.transport.is_closing()
            ):
                parsed = parse(self._buffer)
                if parsed is None:
                    return
                self._buffer = self._buffer[parsed.size :]
                self._respond(parsed)
        except BadRequest as error:
            self._write(reply(error.status, str(error)).data, True)

    def _respond(self, parsed: Parsed) -> None:
        chosen = self._choose(parsed.request, parsed.delivery_id)
        data = chosen.data
        if parsed.request.method == "HEAD":
            data = data[: data.index(b"\r\n\r\n") + 4]
        if chosen.delay:
            self.transport.pause_reading()
            loop = asyncio.get_running_loop()
            self._delayed = loop.call_later(
                chosen.delay, self._write_late, data, parsed.closes
            )
        else:
            self._write(data, parsed.closes)

    def _choose(self, request: Received, delivery_id: str) -> Reply:
        own = page(request, self._memory, self._caller)
        if own:
            return own
        chosen = respond(request.path)
        request.status = chosen.status
        self._memory.add(request, delivery_id)
        return chosen

    def _write(self, data: bytes, closes: bool) -> None:
        self.transport.write(data)
        if closes:
            self.transport.close()

    def _write_late(self, data: bytes, closes: bool) -> None:
        self._delayed = None
        self._write(data, closes)
        self.transport.resume_reading()
        self._respond_to_all()


class Receiver:
    """Listens from the moment it is made; answers while `run` runs.

    As a context manager it runs in a thread of its own. With a caller it offers to
    close what it received.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        sock: socket.socket | None = None,
        caller: CallBack | None = None,
    ) -> None:
        self._socket = sock or socket.create_server((host, port), backlog=1024)
        self.memory = Memory()
        self.caller = caller
        self._connections: set[Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._stopped = asyncio.Event()
        self._thread = threading.Thread(target=self.run, name="receiver", daemon=True)
        host, port = self._socket.getsockname()[:2]
        self.url = f"http://{host}:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        self._thread.join()

    @property
    def total(self) -> int:
        return self.memory.total

    @property
    def ids(self) -> Counter[str]:
        """How often each delivery id arrived; it goes on counting."""
        return self.memory.ids

    @property
    def requests(self) -> list[Received]:
        """The last requests, oldest first."""
        return list(self.memory.requests)

    def clear(self) -> None:
        self.memory.clear()

    def run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    def stop(self) -> None:
        """From any thread, or from a signal handler; also before `run`."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stopped.set)

    async def _serve(self) -> None:
        server = await self._loop.create_server(
            lambda: Connection(self.memory, self._connections, self.caller),
            sock=self._socket,
        )
        await self._stopped.wait()
        server.close()
        for connection in list(self._connections):
            connection.transport.abort()
        await asyncio.sleep(0)
