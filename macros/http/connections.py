"""urllib3 connections and pools that go only where the policy allows."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, cast

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from macros.http.errors import Blocked, connect_failure, dns_failure
from macros.http.messages import TlsOptions
from macros.http.policy import AddressPolicy
from macros.http.tls import tls_context
from macros.http.urls import Target

AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]
# socket.getaddrinfo(host, port, family, type)
Resolver = Callable[[str, int, int, int], Sequence[Any]]

# A load balancer or firewall may drop an idle connection without a word; a request
# sent into it would end in a timeout with the outcome unknown.
MAX_IDLE = 30.0


@dataclass(frozen=True, slots=True)
class Guard:
    policy: AddressPolicy
    resolver: Resolver

    def resolve(self, host: str, port: int) -> list[AddressInfo]:
        """Asks DNS once. What comes back was checked and is what to connect to."""
        self.policy.check_host(host)
        try:
            found = self.resolver(host, port, socket.AF_UNSPEC, socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise dns_failure(error) from error
        if not found:
            raise dns_failure(OSError("no address"))
        self.policy.check(host, [info[4][0] for info in found], port)
        return list(found)


class GuardedHTTPConnection(HTTPConnection):
    guard: Guard
    idle_since = 0.0

    def _new_conn(self) -> socket.socket:
        """Connects to a checked address; `timeout` covers all of them.

        getaddrinfo cannot be interrupted: a slow resolver (glibc gives up after some
        10 s) can outlast the limits, which are looked at again once it returns.
        """
        give_up_at = monotonic() + float(self.timeout or 0)
        found = self.guard.resolve(self._dns_host, self.port)
        error: OSError = TimeoutError()
        for position, info in enumerate(found):
            # A share each, so that one dead address leaves time for the next.
            share = (give_up_at - monotonic()) / (len(found) - position)
            if share <= 0:
                raise TimeoutError
            try:
                return _open(info, share, give_up_at)
            except OSError as failed:
                error = failed
        if isinstance(error, TimeoutError):
            raise error
        raise connect_failure(error) from error


class GuardedHTTPSConnection(GuardedHTTPConnection, HTTPSConnection):
    pass


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


class GuardedHTTPPool(HTTPConnectionPool):
    """Hands out one connection to one exchange at a time, and takes it back."""

    ConnectionCls = GuardedHTTPConnection
    guard: Guard

    def take(self) -> GuardedHTTPConnection:
        """A live kept connection, or one that still has to connect."""
        connection = cast(GuardedHTTPConnection, self._get_conn())
        if connection.sock and monotonic() - connection.idle_since > MAX_IDLE:
            connection.close()
        return connection

    def give_back(self, connection: GuardedHTTPConnection) -> None:
        connection.idle_since = monotonic()
        self._put_conn(connection)

    def _new_conn(self) -> Any:
        connection = cast(GuardedHTTPConnection, super()._new_conn())
        connection.guard = self.guard
        return connection


class GuardedHTTPSPool(GuardedHTTPPool, HTTPSConnectionPool):
    ConnectionCls = GuardedHTTPSConnection


class _GuardedPools(PoolManager):
    def __init__(self, guard: Guard, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._guard = guard
        self.pool_classes_by_scheme = {
            "http": GuardedHTTPPool,
            "https": GuardedHTTPSPool,
        }

    def _new_pool(
        self,
        scheme: str,
        host: str,
        port: int,
        request_context: dict[str, Any] | None = None,
    ) -> GuardedHTTPPool:
        pool = super()._new_pool(scheme, host, port, request_context)
        guarded = cast(GuardedHTTPPool, pool)
        guarded.guard = self._guard
        return guarded


class GuardedAdapter(HTTPAdapter):
    """Makes the pools, and also fits a requests.Session that some library wants.

    Nothing a session says opens the guard: `verify` and `cert` are ignored, a proxy
    is refused. Without a timeout it fails at once.
    """

    def __init__(self, guard: Guard, *, ca_file: str | None) -> None:
        self._guard = guard
        self._ca_file = ca_file
        super().__init__()

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **kwargs: Any
    ) -> None:
        self.poolmanager = _GuardedPools(
            self._guard,
            num_pools=connections,
            maxsize=maxsize,
            block=block,
            ssl_context=tls_context(self._ca_file),
            **kwargs,
        )

    def build_connection_pool_key_attributes(
        self, request: Any, verify: Any, cert: Any = None
    ) -> Any:
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leaves the pool alone: the context is shared and always verifies."""

    def proxy_manager_for(self, proxy: Any, **kwargs: Any) -> Any:
        raise Blocked("no proxies")

    def pool(self, target: Target, tls: TlsOptions | None = None) -> GuardedHTTPPool:
        """Raises TransportError where the options make no sense."""
        host = f"[{target.host}]" if ":" in target.host else target.host
        own = None
        if tls is not None and target.scheme == "https":
            own = {"ssl_context": tls_context(self._ca_file, tls)}
        pool = self.poolmanager.connection_from_host(
            host, target.port, target.scheme, own
        )
        return cast(GuardedHTTPPool, pool)
