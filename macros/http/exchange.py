from __future__ import annotations

import ssl

from urllib3.connection import HTTPSConnection
from urllib3.exceptions import HTTPError

from macros.http.clock import Clock
from macros.http.connections import GuardedHTTPConnection, GuardedHTTPPool
from macros.http.decoding import decode
from macros.http.errors import CLOSED, TransportError, connect_failure, tls_failure
from macros.http.incoming import Disconnected, Head, Reader
from macros.http.messages import Answer
from macros.http.outgoing import transmit


def exchange(
    pool: GuardedHTTPPool, method: str, data: bytes, clock: Clock, *, repeatable: bool
) -> Answer:
    """One request, one answer, on a connection that nobody else uses meanwhile."""
    connection = pool.take()
    kept = not connection.is_closed
    try:
        try:
            return _exchange(connection, method, data, clock)
        except Disconnected:
            if not (kept and repeatable):
                raise
        return _exchange_again(connection, method, data, clock)
    except Disconnected as error:
        raise TransportError(
            "The target closed the connection without an answer.",
            "connect",
            outcome_unknown=True,
        ) from error
    finally:
        pool.give_back(connection)


def _exchange_again(
    connection: GuardedHTTPConnection, method: str, data: bytes, clock: Clock
) -> Answer:
    """A kept connection was closed before one byte of an answer came over it.

    Nearly always the target closed it as idle while the request was on its way.
    RFC 9110 9.2.2 forbids an automatic second try of a POST unless the client knows
    it to be safe to repeat. It is: deliveries are at-least-once under a stable id.
    """
    try:
        return _exchange(connection, method, data, clock)
    except TransportError as error:
        error.outcome_unknown = True  # The first try may have arrived.
        raise


def _exchange(
    connection: GuardedHTTPConnection, method: str, data: bytes, clock: Clock
) -> Answer:
    keep = False
    try:
        if connection.is_closed:
            _connect(connection, clock)
        reader = Reader(connection.sock, clock)
        sent, head = _ask(reader, connection, data, clock)
        raw, cut = reader.body(head, method, clock.limits.max_bytes)
        keep = sent and not cut and reader.reusable(head)
    finally:
        if not keep:
            connection.close()
    body, broken = raw, cut
    if coding := head.get("content-encoding"):
        body, broken = decode(raw, coding, clock.limits.max_bytes)
    return Answer(
        head.status, head.reason, head.headers, body, cut or broken, clock.timings()
    )


def _connect(connection: GuardedHTTPConnection, clock: Clock) -> None:
    try:
        connection.timeout = clock.left(clock.limits.connect)
        connection.connect()
    except TimeoutError as error:
        raise clock.timeout(connecting=True) from error
    except (OSError, ValueError, HTTPError) as error:
        # The guard has put its own failures into words; what is left is TLS.
        if isinstance(connection, HTTPSConnection):
            raise tls_failure(error) from error
        raise connect_failure(error) from error
    clock.connected()


def _ask(
    reader: Reader, connection: GuardedHTTPConnection, data: bytes, clock: Clock
) -> tuple[bool, Head]:
    try:
        sent = transmit(connection.sock, data, clock)
        return sent, reader.head()
    except TimeoutError as error:
        raise clock.timeout() from error
    except CLOSED as error:
        if reader.silent:
            raise Disconnected from error
        raise _broken_off() from error
    except ssl.SSLError as error:
        raise tls_failure(error, outcome_unknown=True) from error
    except OSError as error:
        raise _broken_off() from error


def _broken_off() -> TransportError:
    return TransportError(
        "The connection broke before the answer was complete.",
        "connect",
        outcome_unknown=True,
    )
