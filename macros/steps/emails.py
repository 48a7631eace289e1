"""The step that sends an e-mail: rendered for each subject, and how it is sent.

An e-mail is kept as a Request of the method MAIL, so that logs, masks and resends treat
it as they treat the others.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email

from ..auth.authentication import Forbidden
from ..extraction import ReturnValue
from ..http import Request, TransportError
from ..models.secrets import Vault
from ..tags import (
    OutputContext,
    RenderContext,
    RenderError,
    Scope,
    Template,
    compile_recipients,
    compile_template,
)
from .errors import TooLarge

METHOD = "MAIL"
_SCHEME = "mailto:"
# Sent by a worker at one time.
AT_ONCE = 4
_MAX_SUBJECT = 500
_MAX_ANSWER = 200


class MailRefused(Exception):
    """The mail server was there and said no; a sentence."""

    def __init__(self, message: str, *, is_temporary: bool) -> None:
        super().__init__(message)
        self.message = message
        self.is_temporary = is_temporary


@dataclass(frozen=True, slots=True)
class Taken:
    """The mail server has accepted it for every recipient."""

    said: str


@dataclass
class EmailTemplate:
    to: list[Template]
    subject: Template
    body: Template
    vault: Vault = field(default_factory=Vault)
    # A mail server has no answer to read anything from.
    returns: tuple[ReturnValue, ...] = ()

    @classmethod
    def compile(cls, step: Mapping[str, Any], scope: Scope) -> EmailTemplate:
        """Raises TemplateError; a step that was saved has been compiled before."""
        return cls(
            compile_recipients(step["to"], scope),
            compile_template(step["subject"], OutputContext.HEADER, scope),
            compile_template(step["body"], OutputContext.TEXT, scope),
        )

    def unlock(self, vault: Vault) -> None:
        self.vault = vault

    @cached_property
    def templates(self) -> list[Template]:
        return [*self.to, self.subject, self.body]

    @cached_property
    def secrets(self) -> frozenset[str]:
        return frozenset[str]().union(*(each.secrets for each in self.templates))

    @property
    def words(self) -> str:
        return f"Send the e-mail “{self.subject.source[:60]}”"

    def render(self, context: RenderContext) -> Request:
        """Raises RenderError."""
        for name in sorted(self.secrets):
            if problem := self.vault.problem(name):
                raise RenderError(f"Secret: {name}", problem)
            if self.vault.hosts.get(name):
                problem = f"The secret {name} is bound to hosts, so no e-mail has it."
                raise Forbidden(None, problem)
        request = self._render(context, lambda each: each.render(context))
        if len(request.body or b"") > settings.REQUEST_MAX_BYTES:
            limit = f"{settings.REQUEST_MAX_BYTES:,}"
            raise TooLarge(None, f"The e-mail is longer than {limit} bytes.")
        return request

    def render_masked(self, context: RenderContext) -> Request:
        """As people may see it, secrets masked. Raises RenderError."""
        return self._render(context, lambda each: each.render_masked(context))

    def _render(
        self, context: RenderContext, render: Callable[[Template], str]
    ) -> Request:
        addresses = _checked(render(template).strip() for template in self.to)
        subject = render(self.subject).strip()
        if len(subject) > _MAX_SUBJECT:
            raise TooLarge(
                None, f"The subject is longer than {_MAX_SUBJECT} characters."
            )
        host = urlsplit(settings.BASE_URL).hostname or "localhost"
        headers = (
            ("From", settings.DEFAULT_FROM_EMAIL),
            ("To", ", ".join(addresses)),
            ("Subject", subject),
            # The same on every try, so that a repeat can be told.
            ("Message-ID", f"<{context.delivery_id}@{host}>"),
        )
        body = render(self.body).encode("utf-8", "replace")
        return Request(METHOD, _SCHEME + ",".join(addresses), headers, body)

    def empty_tags(self, context: RenderContext) -> list[str]:
        found = (tag for item in self.templates for tag in item.empty_tags(context))
        return list(dict.fromkeys(found))


def as_sent(url: str, headers: str, body: str) -> EmailTemplate:
    """An e-mail as the log has it, to be sent again."""
    lines = dict(line.split(": ", 1) for line in headers.splitlines() if ": " in line)
    addresses = url.removeprefix(_SCHEME).split(",")
    return EmailTemplate(
        [Template.literal(address) for address in addresses],
        Template.literal(lines.get("Subject", "")),
        Template.literal(body),
    )


def _checked(addresses: Any) -> list[str]:
    """Each once. Raises RenderError."""
    found = list(dict.fromkeys(filter(None, addresses)))
    if not found:
        raise RenderError(None, "The e-mail has no recipient: the address is empty.")
    for address in found:
        try:
            # Quoted names may hold commas, and no program writes them.
            if '"' in address or "," in address:
                raise ValidationError("")
            validate_email(address)
        except ValidationError:
            shown = address if len(address) <= 100 else f"{address[:100]}…"
            problem = f"'{shown}' is not an e-mail address."
            raise RenderError(None, problem) from None
    return found


def send(request: Request) -> Taken:
    """To each recipient an e-mail of their own.

    What was not taken is tried again for all of them, unless the server refused it for
    good: then the others still get theirs. Raises TransportError, MailRefused.
    """
    headers = dict(request.headers)
    addresses = request.url.removeprefix(_SCHEME).split(",")
    taken: list[str] = []
    refused: list[str] = []
    for address in addresses:
        message = EmailMessage(
            headers["Subject"],
            (request.body or b"").decode(),
            headers["From"],
            [address],
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
        said = "The mail server did not accept CenterHook's user name and password."
        raise TransportError(said, "connect", outcome_unknown=some_sent) from error
    answer: tuple[int, bytes | str]
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        answer = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        answer = error.smtp_code, error.smtp_error
    else:
        raise _transport_error(error, some_sent) from error
    code, text = answer
    if 400 <= code <= 499:
        said = f"The mail server does not take {address} just now:"
        told = f"{said} {code} {_in_one_line(text)}"
        raise MailRefused(told, is_temporary=True) from error
    return f"The mail server refused {address}: {code} {_in_one_line(text)}."


def _in_one_line(answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(text.replace("\0", " ").split())[:_MAX_ANSWER].rstrip(".")


def _transport_error(error: OSError, some_sent: bool) -> TransportError:
    if isinstance(error, TimeoutError):
        said = "The mail server did not answer in time."
        return TransportError(said, "timeout", outcome_unknown=True)
    if isinstance(error, socket.gaierror):
        said = "The mail server's name was not found."
        return TransportError(said, "dns", outcome_unknown=some_sent)
    if isinstance(error, ssl.SSLError):
        said = "The secure connection to the mail server failed."
        return TransportError(said, "tls", outcome_unknown=some_sent)
    if isinstance(error, smtplib.SMTPServerDisconnected):
        said = "The mail server closed the connection."
        return TransportError(said, "connect", outcome_unknown=True)
    said = "The mail server could not be reached."
    return TransportError(said, "connect", outcome_unknown=some_sent)
