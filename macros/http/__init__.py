"""The outbound HTTP client: every request CenterHook sends leaves through here."""

from macros.http.client import Client
from macros.http.errors import Blocked, Kind, TransportError
from macros.http.messages import Answer, Cut, Limits, Request, Timings, TlsOptions
from macros.http.policy import AddressPolicy
from macros.http.tls import check_tls
from macros.http.urls import origin_of

__all__ = [
    "AddressPolicy",
    "Answer",
    "Blocked",
    "Client",
    "Cut",
    "Kind",
    "Limits",
    "Request",
    "Timings",
    "TlsOptions",
    "TransportError",
    "check_tls",
    "origin_of",
]
