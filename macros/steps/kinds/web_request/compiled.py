from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from urllib.parse import urlsplit

from django.conf import settings as configuration

from feedback.changes import ChangeChecker
from logs.models import Attempt
from logs.redaction import MASK, mask_typed

from ....auth.authentication import (
    Authentication,
    Forbidden,
    authenticate,
    secrets_of,
)
from ....auth.credentials import Credentials
from ....extraction import ReturnValue, compile_rows
from ....http import Multipart, Request, TransportError, origin_of, signing
from ....models.secrets import Vault
from ....models.steps import Settings
from ....retries import WaitCondition, compile_conditions
from ....tags import (
    OutputContext,
    RenderContext,
    RenderError,
    Scope,
    Template,
    TemplateError,
    compile_template,
)
from ....tags.headers import compile_headers
from ...compiled import CompiledRequest, Transport
from ...dry_run import DryRunRow
from ...errors import TooLarge
from .bodies import BODY_CONTEXTS, BodyKind
from .files import (
    boundary_of,
    parts_again,
    parts_of,
    split_body,
    with_content_type,
)

DELIVERY_ID_HEADER = signing.ID_HEADER

# Characters of a URL and its headers together.
MAX_HEAD = 65_536
# A URL whose host is at its end: what follows can't change it.
_PAST_HOST = re.compile(r"https?://[^/?#]+[/?#]", re.IGNORECASE)


@dataclass
class CompiledWebRequest(CompiledRequest):
    """A web request, compiled once and rendered per subject."""

    transport = Transport.HTTP
    title = "Web request"

    method: str
    url: Template
    headers: list[tuple[str, Template]]
    body: Template | None
    settings: Settings
    returns: tuple[ReturnValue, ...] = ()
    waits: tuple[WaitCondition, ...] = ()
    vault: Vault = field(default_factory=Vault)
    authentication: Authentication = field(default_factory=Authentication)
    # The fields that are files, of a body of several parts; None of any other body.
    files: tuple[str, ...] | None = None
    # That body as the log has it, where the same request is sent again.
    sent_parts: str = ""

    @classmethod
    def compile(cls, settings: Settings, scope: Scope) -> CompiledWebRequest:
        """Raises TemplateError."""
        headers = compile_headers(settings["headers"], scope)
        body = None
        files: tuple[str, ...] | None = None
        if settings["body_kind"] == BodyKind.MULTIPART:
            fields, files = split_body(settings["body"])
            body = _compiled(fields, OutputContext.FORM, scope)
        elif settings["body_kind"] != BodyKind.NONE:
            output, content_type = BODY_CONTEXTS[settings["body_kind"]]
            body = _compiled(settings["body"], output, scope)
            if not any(name.lower() == "content-type" for name, _ in headers):
                fixed = compile_template(content_type, OutputContext.HEADER, scope)
                headers = [("Content-Type", fixed), *headers]
        url = _compiled(settings["url"].strip(), OutputContext.URL, scope)
        # A run that started under an older version has neither.
        returns = compile_rows(settings.get("return_values", ()))
        waits = compile_conditions(settings.get("wait_when", ""))
        made = cls(settings["method"], url, headers, body, settings, returns, waits)
        made.files = files
        return made

    def unlock(self, vault: Vault) -> None:
        super().unlock(vault)
        self.authentication = authenticate(self.settings, vault)

    @property
    def credentials(self) -> Credentials | None:
        return self.authentication.credentials

    @cached_property
    def secrets(self) -> frozenset[str]:
        return self._tagged.union(secrets_of(self.settings))

    @cached_property
    def _tagged(self) -> frozenset[str]:
        return frozenset[str]().union(*(each.secrets for each in self.templates))

    @property
    def templates(self) -> list[Template]:
        body = [self.body] if self.body else []
        return [self.url, *(template for _, template in self.headers), *body]

    def render(self, context: RenderContext) -> Request:
        self._check_secrets()
        request = self._render(
            context, lambda each: each.render(context), self.authentication.headers
        )
        self._check_hosts(request.url)
        _check_head(request)
        most = configuration.REQUEST_MAX_BYTES
        if isinstance(request.body, Multipart):
            most = configuration.MULTIPART_MAX_BYTES
        if request.body and len(request.body) > most:
            limit = f"{most:,}"
            raise TooLarge(None, f"The body is longer than {limit} bytes.")
        return request

    def render_masked(self, context: RenderContext) -> Request:
        return self._render(
            context, lambda each: each.render_masked(context), self.authentication.shown
        )

    def dry_run(
        self, context: RenderContext, row: DryRunRow, checker: ChangeChecker
    ) -> None:
        request = self.render(context)
        host = self.vault.redact(urlsplit(request.url).netloc)
        row.hosts.append(host)
        row.lines.append(f"{request.method} to {host}")

    def bound_to(self, sent: Attempt) -> CompiledWebRequest:
        # Headers are built anew, since their credentials are masked on the log.
        body = None if self.body is None else Template.literal(sent.request_body)
        url = Template.literal(sent.url)
        bound = replace(self, method=sent.method, url=url, body=body)
        if self.files is not None:
            bound.sent_parts = sent.request_body
        return bound

    def as_curl(
        self, method: str, url: str, headers: list[tuple[str, str]], body: str | None
    ) -> str:
        from ....authoring import curl  # For people only: no worker loads it.

        return curl.write(method, url, headers, body, MASK)

    @property
    def words(self) -> str:
        where = (self.origin or "").removesuffix(":443")
        return f"Send a {self.method} request to {where or 'a host that tags name'}"

    @property
    def origin(self) -> str | None:
        fixed = self.url.static_prefix
        if self.url.tags and not _PAST_HOST.match(fixed):
            return None
        try:
            return origin_of(fixed)
        except TransportError:
            # Each delivery says what is wrong with it.
            return None

    @cached_property
    def _sent(self) -> list[str]:
        """A token that was got for a client secret goes where the secret may."""
        return sorted(self.secrets)

    def _check_secrets(self) -> None:
        for name in self._tagged:
            if problem := self.vault.problem(name):
                raise RenderError(f"Secret: {name}", problem)
        if self.authentication.problem:
            raise RenderError(None, self.authentication.problem)
        if self.authentication.refusal:
            raise Forbidden(None, self.authentication.refusal)

    def _check_hosts(self, url: str) -> None:
        if not self.vault.hosts:
            return
        for name in self._sent:
            if refusal := self.vault.refusal(name, url):
                raise Forbidden(None, refusal)

    def _render(
        self,
        context: RenderContext,
        render: Callable[[Template], str],
        extra: Iterable[tuple[str, str]],
    ) -> Request:
        headers = [(name, render(template)) for name, template in self.headers]
        headers.append((DELIVERY_ID_HEADER, context.delivery_id))
        headers += extra
        body = None
        if self.files is not None and self.body is not None:
            parts = self._parts(context, render(self.body))
            headers = [*with_content_type(headers, parts.content_type)]
            return Request(self.method, render(self.url), tuple(headers), parts)
        if self.body is not None:
            body = render(self.body).encode("utf-8", "replace")
        return Request(self.method, render(self.url), tuple(headers), body)

    def _parts(self, context: RenderContext, fields: str) -> Multipart:
        if self.sent_parts:
            parts = parts_again(context.subject, self.sent_parts)
        else:
            parts = parts_of(context.subject, fields, self.files or ())
        return Multipart(parts, boundary_of(context.delivery_id))


def _check_head(request: Request) -> None:
    """Most servers take a tenth of it, and every credential in it is looked for."""
    lines = sum(len(name) + len(value) for name, value in request.headers)
    if len(request.url) + lines > MAX_HEAD:
        limit = f"{MAX_HEAD:,}"
        message = f"The URL and the headers are longer than {limit} characters."
        raise TooLarge(None, message)


def _compiled(text: str, output: OutputContext, scope: Scope) -> Template:
    """With a twin for people, if somebody typed a credential into it."""
    template = compile_template(text, output, scope)
    masked, typed = mask_typed(text, output)
    if masked != text:
        try:
            shown = compile_template(masked, output, scope)
        except TemplateError:
            shown = Template.literal(MASK)
        template.show_as(shown, typed)
    return template
