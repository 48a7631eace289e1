from __future__ import annotations

import socket
import ssl
from typing import Literal

from requests import RequestException

# "http" is for what was refused on the way, such as an access token.
Kind = Literal[
    "dns", "connect", "tls", "timeout", "blocked", "render", "too_large", "http"
]

# X509_V_ERR_* of OpenSSL's x509_vfy.h.
_CERTIFICATE = {
    9: "The server's certificate is not valid yet.",
    10: "The server's certificate has expired.",
    18: "The server's certificate is self-signed.",
    19: "The server's certificate comes from an unknown issuer.",
    20: "The server's certificate comes from an unknown issuer.",
    21: "The server's certificate comes from an unknown issuer.",
    62: "The server's certificate is for another host name.",
    64: "The server's certificate is for another address.",
}
# Alerts (RFC 8446 6.2) by which a server says what it thinks of our certificate.
_ALERTS = {
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "The server asks for a client certificate.",
    "SSLV3_ALERT_BAD_CERTIFICATE": "The server refused the client certificate.",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "The server says the client certificate has"
    " expired.",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "The server refused the client certificate.",
    "TLSV1_ALERT_UNKNOWN_CA": "The server does not know who issued the client"
    " certificate.",
}
_NOT_TLS = frozenset(
    {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE"}
)

# How a closed connection shows itself, in plain TCP and below TLS.
CLOSED = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)


class TransportError(RequestException):
    """No response came. The message is a sentence a program manager can read.

    `outcome_unknown`: the request may have reached the server all the same. To a
    `requests.Session` it is an exception like any other of the library's.
    """

    def __init__(
        self, message: str, kind: Kind, *, outcome_unknown: bool = False
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.outcome_unknown = outcome_unknown


class Blocked(TransportError):
    """Policy forbids the address. Names the rule, never what is inside."""

    def __init__(self, rule: str) -> None:
        super().__init__(f"The address is not allowed by policy ({rule}).", "blocked")
        self.rule = rule


def dns_failure(error: OSError | UnicodeError) -> TransportError:
    if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
        return TransportError("The host name could not be looked up just now.", "dns")
    return TransportError("The host name was not found.", "dns")


def connect_failure(error: Exception) -> TransportError:
    if isinstance(error, ConnectionRefusedError):
        return TransportError("The server refused the connection.", "connect")
    return TransportError("The server could not be reached.", "connect")


def tls_failure(error: Exception, *, outcome_unknown: bool = False) -> TransportError:
    return TransportError(_tls_sentence(error), "tls", outcome_unknown=outcome_unknown)


def no_response() -> TransportError:
    return TransportError(
        "The server closed the connection without a response.",
        "connect",
        outcome_unknown=True,
    )


def broken_off() -> TransportError:
    return TransportError(
        "The connection broke before the response was complete.",
        "connect",
        outcome_unknown=True,
    )


def not_http() -> TransportError:
    return TransportError(
        "The response was not valid HTTP.", "connect", outcome_unknown=True
    )


def head_too_large(limit: int) -> TransportError:
    return TransportError(
        f"The headers of the response are larger than {limit // 1024} KB.",
        "too_large",
        outcome_unknown=True,
    )


def _tls_sentence(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _CERTIFICATE.get(
            error.verify_code, "The server's certificate could not be verified."
        )
    if isinstance(error, CLOSED):
        return "The server closed the connection during the TLS handshake."
    reason = getattr(error, "reason", None) or "unknown reason"
    if reason in _ALERTS:
        return _ALERTS[reason]
    if reason in _NOT_TLS:
        return "The server does not speak TLS (https) on this port."
    return f"The TLS connection failed ({reason.lower().replace('_', ' ')})."
