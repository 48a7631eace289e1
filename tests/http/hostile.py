"""A raw-socket server that behaves as badly as a test asks it to."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Peer:
    """One accepted connection; `number` counts them from 0."""

    def __init__(self, sock: socket.socket, number: int, server: Server) -> None:
        self.sock = sock
        self.number = number
        self.server = server
        self._buffer = b""

    def request(self) -> bytes:
        """The next whole request, or empty when the client hung up."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._receive():
                return b""
        head, _, rest = self._buffer.partition(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        while len(rest) < length:
            if not (more := self._receive()):
                return b""
            rest += more
        self._buffer = rest[length:]
        whole = head + b"\r\n\r\n" + rest[:length]
        self.server.requests.append(whole)
        return whole

    def say(self, data: bytes) -> None:
        self.sock.sendall(data)

    def drip(self, data: bytes, every: float = 0.02) -> None:
        for position in range(len(data)):
            self.say(data[position : position + 1])
            if self.server.over.wait(every):
                return

    def hang(self) -> None:
        self.server.over.wait(10)

    def reset(self) -> None:
        self.sock.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.sock.close()

    def _receive(self) -> bytes:
        data = self.sock.recv(65536)
        self._buffer += data
        return data


Behaviour = Callable[[Peer], None]


class Server:
    """Runs `behaviour` once per connection. Never speaks unless told to."""

    def __init__(
        self,
        behaviour: Behaviour,
        *,
        tls: ssl.SSLContext | None = None,
        receive_buffer: int = 0,
    ) -> None:
        self.behaviour = behaviour
        self.tls = tls
        self.over = threading.Event()
        self.requests: list[bytes] = []
        self.connections = 0
        # Bytes of bodies that were sent in chunks, the kernel's buffers included.
        self.sent = 0
        self._socks: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.socket()
        if receive_buffer:
            self._listener.setsockopt(
                socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer
            )
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(64)
        self.port: int = self._listener.getsockname()[1]

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{path}"

    def __enter__(self) -> Server:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.over.set()
        self.stop_listening()
        for sock in self._socks:
            _wake(sock)
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    def stop_listening(self) -> None:
        _wake(self._listener)
        self._threads[0].join()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                number, self.connections = self.connections, self.connections + 1
                with contextlib.suppress(OSError):
                    self._socks.append(self._prepared(sock))
                    self._start(self._serve, self._socks[-1], number)

    def _prepared(self, sock: socket.socket) -> socket.socket:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls is None:
            return sock
        return self.tls.wrap_socket(
            sock, server_side=True, do_handshake_on_connect=False
        )

    def _start(self, run: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError):
            if isinstance(sock, ssl.SSLSocket):
                sock.do_handshake()
            self.behaviour(Peer(sock, number, self))
        with contextlib.suppress(OSError):
            sock.close()


def _wake(sock: socket.socket) -> None:
    """End the blocked call of another thread, which then closes the socket itself.

    Closed from here, its number could go to a connection of the next test, and the
    other thread would take bytes from that.
    """
    with contextlib.suppress(OSError):
        # Not that of an SSLSocket, which takes its TLS away as well.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def always(response: bytes) -> Behaviour:
    """Gives the same response to every request, on kept connections."""

    def behave(peer: Peer) -> None:
        while peer.request():
            peer.say(response)

    return behave


def once(response: bytes) -> Behaviour:
    """Responds to one request and closes."""

    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(response)

    return behave


def silent(peer: Peer) -> None:
    """Takes the request and never responds."""
    peer.request()
    peer.hang()


def deaf(peer: Peer) -> None:
    """Does not even read."""
    peer.hang()


def speechless(peer: Peer) -> None:
    """Takes the request and closes."""
    peer.request()


def hangs_after(part: bytes) -> Behaviour:
    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(part)
        peer.hang()

    return behave


def dripping(start: bytes, dripped: bytes, every: float = 0.02) -> Behaviour:
    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(start)
        peer.drip(dripped, every)

    return behave


def endless(peer: Peer) -> None:
    peer.request()
    peer.say(b"HTTP/1.1 200 OK\r\n\r\n")
    while not peer.server.over.is_set():
        peer.say(b"x" * 65536)


def large(size: int) -> Behaviour:
    """A body as long as its Content-Length says, made while it is sent."""

    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        chunk = b"x" * 50_000
        while peer.server.sent < size:
            peer.say(chunk)
            peer.server.sent += len(chunk)

    return behave


def http_response(
    body: bytes, *headers: str, status: str = "200 OK", length: int | None = None
) -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers]
    lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


@contextlib.contextmanager
def unreachable(address: tuple[str, int]) -> Iterator[tuple[str, int]]:
    """An address at which nobody takes a connection, nor refuses it."""
    with socket.socket() as listener, socket.socket() as one, socket.socket() as two:
        listener.bind(address)
        listener.listen(0)  # A full backlog drops what else knocks.
        for filler in (one, two):
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()


class FakeDNS:
    """A resolver that gives the listed results, one per call, the last for ever."""

    def __init__(self, *results: Sequence[str]) -> None:
        self.results = list(results)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, family: int, kind: int) -> list[object]:
        addresses = self.results[min(len(self.asked), len(self.results) - 1)]
        self.asked.append(host)
        return [
            (socket.AF_INET6, kind, 6, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, kind, 6, "", (address, port))
            for address in addresses
        ]
