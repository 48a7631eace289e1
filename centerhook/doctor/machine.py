from __future__ import annotations

import shutil
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import get_connection

from .findings import Finding, bad, warning

# Less is too little: this share of a disk, and this many bytes.
MIN_SHARE, MIN_BYTES = 0.05, 1_000_000_000
ENDS_SOON = timedelta(days=14)
TIMEOUT_SECONDS = 3.0


def disk(now: datetime) -> Iterator[Finding]:
    folders = {
        "VAR_DIR": settings.VAR_DIR,
        "ATTACHMENTS_DIR": settings.ATTACHMENTS_DIR,
        "PACKAGES_DIR": settings.PACKAGES_DIR,
    }
    for name, folder in folders.items():
        there = next(
            (each for each in (Path(folder), *Path(folder).parents) if each.exists()),
            Path("/"),
        )
        usage = shutil.disk_usage(there)
        if usage.free < MIN_BYTES or usage.free < MIN_SHARE * usage.total:
            yield bad(
                "disk_full",
                f"The disk of {name} has {usage.free / 1e9:,.1f} GB left.",
                "Make room, or move the folder to a larger disk. Files that find no"
                " room are refused, and nothing else is lost.",
            )


def mail(now: datetime) -> Iterator[Finding]:
    if not settings.EMAIL_BACKEND.endswith("smtp.EmailBackend"):
        yield warning(
            "no_mail",
            "No mail server is set, so notices and e-mail steps reach nobody.",
            "Set EMAIL_URL: smtp://user:password@host:587.",
        )
        return
    try:
        with get_connection(timeout=TIMEOUT_SECONDS):
            pass
    except OSError as error:
        yield bad(
            "mail_away",
            f"The mail server {settings.EMAIL_HOST} does not respond: {error}",
            "Look at EMAIL_URL and at the server. Notices are not sent later.",
        )


def certificate(now: datetime) -> Iterator[Finding]:
    """The one that people meet at BASE_URL."""
    url = urlsplit(settings.BASE_URL)
    if url.scheme != "https" or not url.hostname:
        return
    try:
        ends = _end_of_certificate(url.hostname, url.port or 443)
    except ssl.SSLError as error:
        yield bad(
            "certificate_bad",
            f"Browsers do not trust the certificate of {url.hostname}: {error}",
            "Renew it, with the whole chain.",
        )
        return
    except OSError as error:
        yield warning(
            "base_url_away",
            f"{settings.BASE_URL} can't be reached from here: {error}",
            "Look at BASE_URL, DNS and the proxy. Links in messages begin with it.",
        )
        return
    if ends - now < ENDS_SOON:
        yield bad(
            "certificate_ends",
            f"The certificate of {url.hostname} ends on {ends:%d %B %Y}.",
            "Renew it. Systems that call CenterHook refuse to after that.",
        )


def _end_of_certificate(host: str, port: int) -> datetime:
    """Raises OSError."""
    context = ssl.create_default_context()
    with (
        socket.create_connection((host, port), TIMEOUT_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as wrapped,
    ):
        known = wrapped.getpeercert() or {}
    ends = ssl.cert_time_to_seconds(str(known["notAfter"]))
    return datetime.fromtimestamp(ends, UTC)
