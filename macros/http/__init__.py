"""The outbound HTTP client: every request CenterHook sends leaves through here."""

from macros.http.charsets import text_of
from macros.http.client import Client
from macros.http.deadline import Limits
from macros.http.errors import Blocked, Kind, TransportError
from macros.http.messages import Cut, Request, Response
from macros.http.multipart import FilePart, Multipart, TextPart
from macros.http.policy import AddressPolicy
from macros.http.tls import TlsOptions, check_tls
from macros.http.urls import endpoint_of, origin_of

__all__ = [
    "AddressPolicy",
    "Blocked",
    "Client",
    "Cut",
    "FilePart",
    "Kind",
    "Limits",
    "Multipart",
    "Request",
    "Response",
    "TextPart",
    "TlsOptions",
    "TransportError",
    "check_tls",
    "endpoint_of",
    "origin_of",
    "text_of",
]
