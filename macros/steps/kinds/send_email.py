from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from django.conf import settings as configuration
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models

from feedback.access.privacy import Privacy
from feedback.changes import ChangeChecker
from logs.models import Attempt
from logs.redaction import MASK

from ...auth.authentication import Forbidden
from ...http import Request, TransportError
from ...models import Macro
from ...models.steps import Problems, Settings
from ...tags import (
    OutputContext,
    RenderContext,
    RenderError,
    Scope,
    Template,
    compile_recipients,
    compile_template,
)
from .. import mail
from ..compiled import CompiledRequest, Transport
from ..dry_run import DryRunRow
from ..errors import TooLarge
from ..kind import StepForm, StepKind, template_problems

_MAX_SUBJECT = 500
_MAX_SHOWN = 100


class SendEmail(StepKind):
    """The step that sends an e-mail, each recipient their own."""

    kind = "send_email"
    SETTINGS = ("to", "subject", "body")
    SENT_BY = "to"
    privacy = Privacy(hidden=("to", "body"))
    FORM = StepForm(
        "Send an e-mail",
        order=70,
        fields=["to", "subject", "body"],
        rows={"to": 2, "body": 8},
        tags=["to", "subject", "body"],
    )

    to = models.TextField(
        max_length=2000,
        help_text="One address per line, such as <code>((Submitter Email))</code>. Each"
        " gets an e-mail of their own.",
    )
    subject = models.CharField(max_length=250, help_text="With dynamic tags.")
    body = models.TextField("text", max_length=50_000, help_text="With dynamic tags.")

    class Meta(StepKind.Meta):
        verbose_name = "e-mail"

    @classmethod
    def host_in(cls, text: str) -> str:
        return "people by e-mail"

    def __str__(self) -> str:
        return f"Send the e-mail “{self.subject[:60]}”"

    @property
    def note(self) -> str:
        return f"to {', '.join(self.to.splitlines())}"[:_MAX_SHOWN] if self.to else ""

    def problems(self, macro: Macro) -> Problems:
        scope = macro.scope()
        return template_problems(
            {
                "to": lambda: compile_recipients(self.to, scope),
                "subject": lambda: _compile_subject(self.subject, scope),
                "body": lambda: _compile_body(self.body, scope),
            }
        )

    @classmethod
    def secret_templates(cls, settings: Settings) -> Mapping[str, OutputContext]:
        return {"subject": OutputContext.TEXT, "body": OutputContext.TEXT}

    @classmethod
    def compile(cls, settings: Settings, scope: Scope) -> CompiledEmail:
        return CompiledEmail(
            compile_recipients(settings["to"], scope),
            _compile_subject(settings["subject"], scope),
            _compile_body(settings["body"], scope),
        )


def _compile_subject(text: str, scope: Scope) -> Template:
    return compile_template(text, OutputContext.HEADER, scope)


def _compile_body(text: str, scope: Scope) -> Template:
    return compile_template(text, OutputContext.TEXT, scope)


@dataclass
class CompiledEmail(CompiledRequest):
    """An e-mail, compiled once and rendered per subject."""

    transport = Transport.MAIL
    title = "E-mail"

    to: list[Template]
    subject: Template
    body: Template

    @property
    def templates(self) -> list[Template]:
        return [*self.to, self.subject, self.body]

    @property
    def words(self) -> str:
        return f"Send the e-mail “{self.subject.source[:60]}”"

    def render(self, context: RenderContext) -> Request:
        self._check_secrets()
        request = self._render(context, lambda each: each.render(context))
        if len(request.body or b"") > configuration.REQUEST_MAX_BYTES:
            limit = f"{configuration.REQUEST_MAX_BYTES:,}"
            raise TooLarge(None, f"The e-mail is longer than {limit} bytes.")
        return request

    def render_masked(self, context: RenderContext) -> Request:
        return self._render(context, lambda each: each.render_masked(context))

    def dry_run(
        self, context: RenderContext, row: DryRunRow, checker: ChangeChecker
    ) -> None:
        addresses = mail.addresses_in(self.render(context).url)
        row.lines.append(f"E-mail to {','.join(addresses)}")

    def repeat(self, sent: Attempt | None) -> Self:
        step = super().repeat(sent)
        if sent is not None and MASK in sent.request_headers:
            raise RenderError(
                None, "The subject held a secret, and logs keep none. Build it anew."
            )
        return step

    def bound_to(self, sent: Attempt) -> Self:
        lines = sent.request_headers.splitlines()
        headers = dict(line.split(": ", 1) for line in lines if ": " in line)
        return type(self)(
            [Template.literal(address) for address in mail.addresses_in(sent.url)],
            Template.literal(headers.get("Subject", "")),
            Template.literal(sent.request_body),
        )

    def _check_secrets(self) -> None:
        for name in sorted(self.secrets):
            if problem := self.vault.problem(name):
                raise RenderError(f"Secret: {name}", problem)
            if self.vault.hosts.get(name):
                problem = f"The secret {name} is bound to hosts, so no e-mail has it."
                raise Forbidden(None, problem)

    def _render(
        self, context: RenderContext, render: Callable[[Template], str]
    ) -> Request:
        addresses = _checked(render(template).strip() for template in self.to)
        subject = render(self.subject).strip()
        if len(subject) > _MAX_SUBJECT:
            raise TooLarge(
                None, f"The subject is longer than {_MAX_SUBJECT} characters."
            )
        host = urlsplit(configuration.BASE_URL).hostname or "localhost"
        headers = (
            ("From", configuration.DEFAULT_FROM_EMAIL),
            ("To", ", ".join(addresses)),
            ("Subject", subject),
            # The same on every try, so that a receiver recognises a repeat.
            ("Message-ID", f"<{context.delivery_id}@{host}>"),
        )
        body = render(self.body).encode("utf-8", "replace")
        return Request(mail.METHOD, mail.url_to(addresses), headers, body)


def _checked(addresses: Iterable[str]) -> list[str]:
    """Each address once. Raises RenderError."""
    unique = list(dict.fromkeys(filter(None, addresses)))
    if not unique:
        raise RenderError(None, "The e-mail has no recipient: the address is empty.")
    for address in unique:
        try:
            # Quoted names may hold commas, and no program writes them.
            if '"' in address or "," in address:
                raise ValidationError("")
            validate_email(address)
            mail.on_the_wire(address)
        except (ValidationError, TransportError):
            fits = len(address) <= _MAX_SHOWN
            shown = address if fits else f"{address[:_MAX_SHOWN]}…"
            problem = f"'{shown}' is not an e-mail address."
            raise RenderError(None, problem) from None
    return unique
