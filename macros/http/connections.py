"""Connections that go only where the policy allows."""

from __future__ import annotations

import socket
import ssl
from time import monotonic
from typing import Any

from urllib3.util.wait import wait_for_read

from macros.http.deadline import Deadline
from macros.http.errors import (
    connect_failure,
    dns_failure,
    tls_failure,
)
from macros.http.policy import AddressPolicy
from macros.http.room import Permit, Room
from macros.http.urls import Endpoint

AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]

# A load balancer or firewall may drop an idle connection without a word; a request
# sent into it would end in a timeout with the outcome unknown.
MAX_IDLE = 30.0
# One that is used again within so many seconds is not looked at first: that costs more
# than it finds, and a request that is lost on a closed one goes out once more at once.
MIN_IDLE = 0.01


def resolve(policy: AddressPolicy, host: str, port: int) -> list[AddressInfo]:
    """Asks DNS once. What comes back was checked and is what to connect to."""
    policy.check_host(host)
    try:
        addresses = socket.getaddrinfo(host, port, socket.AF_UNSPEC, socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise dns_failure(error) from error
    if not addresses:
        raise dns_failure(OSError("no address"))
    policy.check(host, [str(info[4][0]) for info in addresses], port)
    return list(addresses)


class Connection:
    """One connection to an endpoint, used by one exchange at a time."""

    __slots__ = ("_context", "_endpoint", "_policy", "_room", "idle_since", "sock")

    def __init__(
        self,
        endpoint: Endpoint,
        policy: AddressPolicy,
        context: ssl.SSLContext | None,
        room: Room,
    ) -> None:
        self._endpoint = endpoint
        self._policy = policy
        self._context = context
        self._room = room
        self.sock: socket.socket | None = None
        self.idle_since: float  # Where it is idle.

    def connect(self, deadline: Deadline) -> socket.socket:
        """The connect limit covers all addresses and the handshake.

        getaddrinfo cannot be interrupted: a slow resolver (glibc gives up after some
        10 s) can outlast the limits, which are looked at again once it returns.
        """
        try:
            give_up_at = monotonic() + deadline.left(deadline.limits.connect)
            sock = self._reach(give_up_at)
            if self._context is not None:
                sock = self._secure(sock, self._context)
        except TimeoutError as error:
            raise deadline.timeout(connecting=True) from error
        deadline.connected()
        self.sock = sock
        return sock

    def permit(self, timeout: float) -> Permit | None:
        """For a long body; None if there was none in so many seconds."""
        return self._room.take(self._endpoint.origin, timeout)

    def close(self) -> None:
        sock, self.sock = self.sock, None
        if sock is not None:
            sock.close()

    @property
    def is_stale(self) -> bool:
        """Closed by the other side, or idle for too long to be trusted."""
        idle = monotonic() - self.idle_since
        if self.sock is None or idle > MAX_IDLE:
            return True
        if idle < MIN_IDLE:
            return False
        # What can be read between two exchanges is the end, or nothing asked for.
        return wait_for_read(self.sock, timeout=0.0)

    def _reach(self, give_up_at: float) -> socket.socket:
        addresses = resolve(self._policy, self._endpoint.host, self._endpoint.port)
        error: OSError = TimeoutError()
        for position, info in enumerate(addresses):
            # A share each, so that one dead address leaves time for the next.
            share = (give_up_at - monotonic()) / (len(addresses) - position)
            if share <= 0:
                raise TimeoutError
            try:
                return _open(info, share, give_up_at)
            except OSError as failure:
                error = failure
        if isinstance(error, TimeoutError):
            raise error
        raise connect_failure(error) from error

    def _secure(self, sock: socket.socket, context: ssl.SSLContext) -> socket.socket:
        try:
            # A zone such as %eth0 is no part of what a certificate can name.
            name = self._endpoint.host.partition("%")[0]
            return context.wrap_socket(sock, server_hostname=name)
        except TimeoutError:
            sock.close()
            raise
        except (OSError, ValueError) as error:
            sock.close()
            raise tls_failure(error) from error


def _open(info: AddressInfo, timeout: float, give_up_at: float) -> socket.socket:
    family, kind, protocol, _, address = info
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(timeout)
        sock.connect(address)
        # What is left of the connect limit is for the TLS handshake.
        sock.settimeout(max(give_up_at - monotonic(), 0.001))
    except BaseException:
        sock.close()
        raise
    return sock


class Pool:
    """The idle connections to one endpoint, `size` at most; any thread may ask."""

    def __init__(
        self,
        endpoint: Endpoint,
        policy: AddressPolicy,
        context: ssl.SSLContext | None,
        size: int,
        room: Room,
    ) -> None:
        self._endpoint = endpoint
        self._policy = policy
        self._context = context
        self._size = size
        self._room = room
        # Append and pop of a list are atomic.
        self._idle: list[Connection] = []

    def take(self) -> Connection:
        """A live kept connection, or one that still has to connect."""
        while connection := self._popped():
            if not connection.is_stale:
                return connection
            connection.close()
        return Connection(self._endpoint, self._policy, self._context, self._room)

    def give_back(self, connection: Connection) -> None:
        if connection.sock is None:
            return
        if len(self._idle) >= self._size:
            connection.close()
            return
        connection.idle_since = monotonic()
        self._idle.append(connection)

    def close(self) -> None:
        """Idle connections at once; those in use when they are given back."""
        self._size = 0
        while connection := self._popped():
            connection.close()

    def _popped(self) -> Connection | None:
        """Not by a look first: another thread could take the last one meanwhile."""
        try:
            return self._idle.pop()
        except IndexError:
            return None
