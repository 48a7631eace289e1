from __future__ import annotations

import os
import socket
from collections import OrderedDict
from threading import Lock

from macros.http.clock import Clock
from macros.http.connections import (
    Guard,
    GuardedAdapter,
    GuardedHTTPPool,
    Resolver,
)
from macros.http.errors import TransportError
from macros.http.exchange import exchange
from macros.http.messages import Answer, Limits, Request, TlsOptions
from macros.http.outgoing import encode
from macros.http.policy import AddressPolicy
from macros.http.urls import Target, target_of

# Kept connections in all, so that 10,000 origins do not use up the process's files.
_MAX_KEPT = 512

# Origin and TLS options: a connection made with a certificate is its owner's alone.
_Key = tuple[str, TlsOptions | None]


class Client:
    """Sends HTTP requests, from any number of threads.

    Keeps up to `connections` open per origin: give it the number of threads. Follows
    no redirect, knows no proxy, `.netrc` or environment. `ca_file` (PEM) is trusted
    beside the public authorities.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        *,
        connections: int,
        resolver: Resolver = socket.getaddrinfo,
        ca_file: str | None = None,
    ) -> None:
        guard = Guard(policy, resolver)
        self._adapter = GuardedAdapter(guard, ca_file=ca_file)
        self._connections = connections
        self._max_pools = max(1, _MAX_KEPT // connections)
        self._start_empty()

    def send(
        self,
        request: Request,
        *,
        limits: Limits,
        repeatable: bool = True,
        tls: TlsOptions | None = None,
    ) -> Answer:
        """Raises TransportError, and nothing else, when no answer came.

        `repeatable` lets a request that was lost on a kept connection, closed by the
        target at that moment, go out once more at once. A connection made with other
        `tls` options is not used.
        """
        clock = Clock(limits)
        try:
            target = target_of(request.url)
            data = encode(request, target)
            pool = self._pool(target, tls)
            return exchange(pool, request.method, data, clock, repeatable=repeatable)
        except TransportError as error:
            error.timings = clock.timings()
            raise

    def close(self) -> None:
        """Closes idle connections; those in use close when their exchange ends."""
        self._start_empty()

    def _start_empty(self) -> None:
        # A pool is never closed, only forgotten: it closes its connections once the
        # last exchange lets go of it, so none loses its pool half way.
        self._lock = Lock()
        self._pools: OrderedDict[_Key, GuardedHTTPPool] = OrderedDict()
        self._adapter.init_poolmanager(1, self._connections)
        self._pid = os.getpid()

    def _pool(self, target: Target, tls: TlsOptions | None) -> GuardedHTTPPool:
        if self._pid != os.getpid():
            # After a fork parent and child would talk over each other on one socket.
            self._start_empty()
        key = target.origin, tls
        with self._lock:
            pool = self._pools.get(key)
            if pool is None:
                pool = self._pools[key] = self._adapter.pool(target, tls)
                if len(self._pools) > self._max_pools:
                    self._pools.popitem(last=False)
            else:
                self._pools.move_to_end(key)
            return pool
