from __future__ import annotations

import ssl

from requests import PreparedRequest

from macros.http.connections import Connection, Pool
from macros.http.deadline import Deadline
from macros.http.decoding import decode
from macros.http.errors import (
    CLOSED,
    TransportError,
    broken_off,
    no_response,
    tls_failure,
)
from macros.http.messages import Response
from macros.http.outgoing import Outbound, transmit
from macros.http.parsing import ResponseParser
from macros.http.reading import Disconnected, Reader


def exchange(
    pool: Pool, request: PreparedRequest, data: Outbound, deadline: Deadline
) -> Response:
    """One request, one response, on a connection that nobody else uses meanwhile."""
    connection = pool.take()
    was_kept = connection.sock is not None
    try:
        try:
            return _exchange(connection, request, data, deadline)
        except Disconnected:
            if not was_kept:
                raise
        return _exchange_again(connection, request, data, deadline)
    except Disconnected as error:
        raise no_response() from error
    finally:
        pool.give_back(connection)


def _exchange_again(
    connection: Connection, request: PreparedRequest, data: Outbound, deadline: Deadline
) -> Response:
    """A kept connection was closed before one byte of a response came over it.

    Nearly always the server closed it as idle while the request was on its way.
    RFC 9110 9.2.2 forbids an automatic second try of a POST unless the client knows
    it to be safe to repeat. It is: deliveries are at-least-once under a stable id.
    """
    try:
        return _exchange(connection, request, data, deadline)
    except TransportError as error:
        error.outcome_unknown = True  # The first try may have arrived.
        raise


def _exchange(
    connection: Connection, request: PreparedRequest, data: Outbound, deadline: Deadline
) -> Response:
    keep = False
    method, limit = request.method or "", deadline.limits.max_bytes
    try:
        sock = connection.sock or connection.connect(deadline)
        reader = Reader(sock, deadline, connection.permit)
        sent, parser = _ask(reader, data, deadline)
        body, cut = reader.body(parser, method, limit)
        parser.finish()
        keep = sent and not cut and reader.is_reusable(parser, method)
    finally:
        if not keep:
            connection.close()
    if coding := parser.header("content-encoding"):
        body, undecoded = decode(body, coding, limit)
        body, undecoded = reader.held(body, undecoded)
        cut = cut or undecoded
    return Response(
        request,
        parser.status,
        parser.reason.decode("latin-1"),
        parser.fields,
        body,
        cut=cut,
        connect_ms=deadline.connect_ms,
        first_byte_ms=deadline.first_byte_ms,
        permit=reader.permit,
    )


def _ask(
    reader: Reader, data: Outbound, deadline: Deadline
) -> tuple[bool, ResponseParser]:
    try:
        sent = transmit(reader.sock, data, deadline)
        return sent, reader.head()
    except TransportError:
        raise
    except TimeoutError as error:
        raise deadline.timeout() from error
    except CLOSED as error:
        if reader.is_silent:
            raise Disconnected from error
        raise broken_off() from error
    except ssl.SSLError as error:
        raise tls_failure(error, outcome_unknown=True) from error
    except OSError as error:
        raise broken_off() from error
