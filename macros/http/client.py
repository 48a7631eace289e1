from __future__ import annotations

import math
import os
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from threading import Lock

from requests import PreparedRequest
from requests.adapters import BaseAdapter
from requests.utils import select_proxy

from macros.http.connections import Pool
from macros.http.deadline import Deadline, Limits
from macros.http.errors import Blocked
from macros.http.exchange import exchange
from macros.http.messages import Response
from macros.http.outgoing import encode
from macros.http.policy import AddressPolicy
from macros.http.room import Room
from macros.http.tls import TlsOptions, tls_context
from macros.http.urls import Endpoint, endpoint_of

# Kept connections in all, so that 10,000 origins do not use up the process's files.
_MAX_KEPT = 512

# Origin and TLS options: a connection made with a certificate is its owner's alone.
_Key = tuple[str, TlsOptions | None]
_Timeout = float | tuple[float | None, float | None] | None


class Client(BaseAdapter):
    """Sends every HTTP request of CenterHook, from any number of threads.

    It is a transport adapter of `requests`: call `send`, or mount it on a `Session`
    for both `http://` and `https://`. Nothing that a session says opens the guard:
    each redirect comes by here as well, a proxy is refused, a certificate is always
    verified, and a timeout can only shorten the limits.

    Keeps up to `connections` open per origin: give it the number of threads.
    """

    def __init__(
        self, policy: AddressPolicy, *, limits: Limits, connections: int
    ) -> None:
        super().__init__()
        self._policy = policy
        self._limits = limits
        self._connections = connections
        self._max_pools = max(1, _MAX_KEPT // connections)
        self._start_empty()

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: _Timeout = None,
        verify: bool | str = True,
        cert: object = None,
        proxies: Mapping[str, str] | None = None,
        *,
        limits: Limits | None = None,
        tls: TlsOptions | None = None,
        ends_at: float = math.inf,
    ) -> Response:
        """Raises TransportError, and nothing else, when no response came.

        The body is read at once, whatever `stream` says. A connection made with other
        `tls` options is not used. At `ends_at`, by the monotonic clock, its time is
        over too.
        """
        deadline = Deadline(_shortened(limits or self._limits, timeout), ends_at)
        endpoint = endpoint_of(request.url or "")
        if proxies and select_proxy(endpoint.origin, proxies):
            raise Blocked("no proxies")
        data = encode(request, endpoint)
        response = exchange(self._pool(endpoint, tls), request, data, deadline)
        # Where what a session authenticates with sends its second try.
        response.connection = self  # type: ignore[assignment]
        return response

    def close(self) -> None:
        """Closes idle connections; those in use close when their exchange ends."""
        with self._lock:
            pools = list(self._pools.values())
            self._pools.clear()
        for pool in pools:
            pool.close()

    def _start_empty(self) -> None:
        self._lock = Lock()
        self._pools: OrderedDict[_Key, Pool] = OrderedDict()
        self._room = Room()
        self._pid = os.getpid()

    def _pool(self, endpoint: Endpoint, tls: TlsOptions | None) -> Pool:
        if self._pid != os.getpid():
            # After a fork parent and child would talk over each other on one socket.
            self._start_empty()
        key = endpoint.origin, tls
        with self._lock:
            pool = self._pools.get(key)
            if pool is None:
                pool = self._pools[key] = self._new_pool(endpoint, tls)
                if len(self._pools) > self._max_pools:
                    self._pools.popitem(last=False)[1].close()
            else:
                self._pools.move_to_end(key)
            return pool

    def _new_pool(self, endpoint: Endpoint, tls: TlsOptions | None) -> Pool:
        """Raises TransportError where the options make no sense."""
        context = tls_context(tls) if endpoint.scheme == "https" else None
        size, room = self._connections, self._room
        return Pool(endpoint, self._policy, context, size, room)


def _shortened(limits: Limits, timeout: _Timeout) -> Limits:
    """A session gives seconds, or a pair: to connect, and to read."""
    if timeout is None:
        return limits
    connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
    return replace(
        limits,
        connect=min(connect or limits.connect, limits.connect),
        read=min(read or limits.read, limits.read),
    )
