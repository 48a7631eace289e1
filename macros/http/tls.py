"""TLS contexts. Each verifies certificate and name; none can be told not to."""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.util.ssl_ import create_urllib3_context

from macros.http.errors import TransportError


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """What a server's TLS needs beyond the usual; all as PEM text.

    `ca` is trusted beside the public authorities. `certificate` (with its chain) and
    `key` are shown to a server that asks who is calling.
    """

    ca: str = ""
    certificate: str = ""
    key: str = field(default="", repr=False)


@lru_cache(maxsize=64)
def tls_context(options: TlsOptions | None) -> ssl.SSLContext:
    """One for all connections: reading the CA bundle takes 10 ms or more.

    Raises TransportError where the options are not what they should be.
    """
    context = create_urllib3_context()
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    if options is not None:
        _apply(options, context)
    return context


def check_tls(options: TlsOptions) -> None:
    """Raises TransportError where the options are not what they should be."""
    _apply(options, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


def _apply(options: TlsOptions, context: ssl.SSLContext) -> None:
    try:
        if options.ca:
            context.load_verify_locations(cadata=options.ca)
    except (ssl.SSLError, TypeError) as error:  # A type: not ASCII.
        raise TransportError(
            "The extra CA certificates are not valid PEM.", "render"
        ) from error
    if not options.certificate:
        return
    try:
        with _file_of(f"{options.certificate}\n{options.key}\n") as path:
            # With no password OpenSSL would ask for one on the terminal.
            context.load_cert_chain(path, password=b"")
    except (OSError, ValueError) as error:
        raise TransportError(
            "The client certificate and its private key are not valid PEM, or do not"
            " belong together.",
            "render",
        ) from error


@contextmanager
def _file_of(text: str) -> Iterator[str]:
    """A file that only this process can read, since OpenSSL takes nothing else.

    In memory where the system can do that, so that no key is left on a disk.
    """
    if hasattr(os, "memfd_create"):
        with open(os.memfd_create("pem"), "w") as file:
            file.write(text)
            file.flush()
            yield f"/proc/self/fd/{file.fileno()}"
        return
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(text)
        file.flush()
        yield file.name
