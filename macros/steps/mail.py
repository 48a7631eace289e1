"""How an e-mail is kept, and how it is handed to the mail server.

It is kept as a Request of the method MAIL, so that logs, masks and resends treat it as
they treat the others.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from dataclasses import dataclass

from django.core.mail import EmailMessage

from ..http import Request, TransportError, endpoint_of

METHOD = "MAIL"
# Sent by a worker at one time.
AT_ONCE = 4
_SCHEME = "mailto:"
_MAX_RESPONSE = 200


class MailRefused(Exception):
    """The mail server was there and said no; a sentence."""

    def __init__(self, message: str, *, is_temporary: bool) -> None:
        super().__init__(message)
        self.message = message
        self.is_temporary = is_temporary


@dataclass(frozen=True, slots=True)
class Taken:
    """The mail server has accepted it for every recipient."""

    message: str


def url_to(addresses: list[str]) -> str:
    return _SCHEME + ",".join(addresses)


def addresses_in(url: str) -> list[str]:
    return url.removeprefix(_SCHEME).split(",")


def on_the_wire(address: str) -> str:
    """The address with its domain as DNS has it, by the rules that hold for URLs.

    Python's mail library would take those of 2003, by which faß.example is another's
    fass.example. Raises TransportError.
    """
    name, _, domain = address.rpartition("@")
    if domain.isascii():
        return address
    return f"{name}@{endpoint_of(f'https://{domain}/').host}"


def send(request: Request) -> Taken:
    """To each recipient an e-mail of their own.

    What was not taken is tried again for all of them, unless the server refused it for
    good: then the others still get theirs. Raises TransportError, MailRefused.
    """
    headers = dict(request.headers)
    addresses = addresses_in(request.url)
    taken: list[str] = []
    refused: list[str] = []
    for address in addresses:
        message = EmailMessage(
            headers["Subject"],
            request.text,
            headers["From"],
            [on_the_wire(address)],
            headers={
                "Message-ID": headers["Message-ID"],
                "Auto-Submitted": "auto-generated",
            },
        )
        try:
            message.send()
        except OSError as error:  # As all of smtplib's are.
            refused.append(_refusal(error, address, bool(taken)))
        else:
            taken.append(address)
    if refused:
        others = f" Sent to {', '.join(taken)}." if taken else ""
        raise MailRefused(" ".join(refused) + others, is_temporary=False)
    return Taken(f"The mail server took it for {', '.join(taken)}.")


def _refusal(error: OSError, address: str, some_sent: bool) -> str:
    """A refusal for good, as a sentence. Raises what may pass."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        message = "The mail server did not accept CenterHook's user name and password."
        raise TransportError(message, "connect", outcome_unknown=some_sent) from error
    response: tuple[int, bytes | str]
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        response = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        response = error.smtp_code, error.smtp_error
    else:
        raise _transport_error(error, some_sent) from error
    code, text = response
    if 400 <= code <= 499:
        start = f"The mail server does not take {address} just now:"
        message = f"{start} {code} {_in_one_line(text)}"
        raise MailRefused(message, is_temporary=True) from error
    return f"The mail server refused {address}: {code} {_in_one_line(text)}."


def _in_one_line(response: bytes | str) -> str:
    if isinstance(response, bytes):
        response = response.decode("utf-8", "replace")
    line = " ".join(response.replace("\0", " ").split())
    return line[:_MAX_RESPONSE].rstrip(".")


def _transport_error(error: OSError, some_sent: bool) -> TransportError:
    """A server that hangs up, or does not reply in time, may have taken it."""
    if isinstance(error, TimeoutError):
        message = "The mail server did not respond in time."
        return TransportError(message, "timeout", outcome_unknown=True)
    if isinstance(error, smtplib.SMTPServerDisconnected):
        message = "The mail server closed the connection."
        return TransportError(message, "connect", outcome_unknown=True)
    if isinstance(error, socket.gaierror):
        message = "The mail server's name was not found."
        return TransportError(message, "dns", outcome_unknown=some_sent)
    if isinstance(error, ssl.SSLError):
        message = "The secure connection to the mail server failed."
        return TransportError(message, "tls", outcome_unknown=some_sent)
    message = "The mail server could not be reached."
    return TransportError(message, "connect", outcome_unknown=some_sent)
