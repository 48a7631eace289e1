"""From a macro and a subject to the request that goes out, and its masked twin."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any

from django.conf import settings
from django.db.models import Model, QuerySet
from django.urls import reverse

from feedback.models import Feedback, Tester
from logs.models import Destination, Run, SubjectKind, delivery_id

from ..auth.authentication import (
    Authentication,
    Forbidden,
    authenticate,
    secrets_for_destination,
    secrets_of,
    tls_options,
)
from ..extraction import ReturnValue, compile_rows
from ..http import Request, TlsOptions, TransportError, origin_of, signing
from ..models.emails import SendEmail
from ..models.secrets import Secret, Vault
from ..models.web_requests import BODY_CONTEXTS, BodyKind, WebRequest
from ..retries import RetryPolicy
from ..tags import (
    FieldInfo,
    OutputContext,
    RenderContext,
    RenderError,
    Scope,
    Template,
    compile_template,
)
from ..tags.headers import compile_headers
from .changes import ChangeTemplate
from .emails import EmailTemplate
from .errors import TooLarge

DELIVERY_ID_HEADER = signing.ID_HEADER

# A URL whose host is at its end: what follows can't change it.
_PAST_HOST = re.compile(r"https?://[^/?#]+[/?#]", re.IGNORECASE)

_Render = Callable[[Template], str]


@dataclass
class RequestTemplate:
    """A web request step, compiled once and rendered per subject."""

    method: str
    url: Template
    headers: list[tuple[str, Template]]
    body: Template | None
    step: Mapping[str, Any]
    returns: tuple[ReturnValue, ...] = ()
    vault: Vault = field(default_factory=Vault)
    authentication: Authentication = field(default_factory=Authentication)

    @classmethod
    def compile(cls, step: Mapping[str, Any], scope: Scope) -> RequestTemplate:
        """Raises TemplateError; a step that was saved has been compiled before."""
        headers = compile_headers(step["headers"], scope)
        body = None
        if step["body_kind"] != BodyKind.NONE:
            place, content_type = BODY_CONTEXTS[step["body_kind"]]
            body = compile_template(step["body"], place, scope)
            if not any(name.lower() == "content-type" for name, _ in headers):
                fixed = compile_template(content_type, OutputContext.HEADER, scope)
                headers = [("Content-Type", fixed), *headers]
        url = compile_template(step["url"].strip(), OutputContext.URL, scope)
        # A run that started under an older version has none.
        returns = compile_rows(step.get("return_values", ()))
        return cls(step["method"], url, headers, body, step, returns)

    def unlock(self, vault: Vault) -> None:
        """Give it the values of its secrets; without, it can't render any."""
        self.vault = vault
        self.authentication = authenticate(self.step, vault)

    @cached_property
    def secrets(self) -> frozenset[str]:
        """The names of all secrets that it uses."""
        return self._tagged.union(secrets_of(self.step))

    @cached_property
    def _tagged(self) -> frozenset[str]:
        return frozenset[str]().union(*(each.secrets for each in self.templates))

    @cached_property
    def templates(self) -> list[Template]:
        body = [self.body] if self.body else []
        return [self.url, *(template for _, template in self.headers), *body]

    def render(self, context: RenderContext) -> Request:
        """The request as it is sent, but for its credentials. Raises RenderError."""
        self._check_secrets()
        request = self._render(
            context, lambda each: each.render(context), self.authentication.headers
        )
        self._check_hosts(request.url)
        if request.body and len(request.body) > settings.REQUEST_MAX_BYTES:
            limit = settings.REQUEST_MAX_BYTES
            raise TooLarge(None, f"The body is longer than {limit:,} bytes.")
        return request

    def render_masked(self, context: RenderContext) -> Request:
        """The request as people may see it, secrets masked. Raises RenderError."""
        return self._render(
            context, lambda each: each.render_masked(context), self.authentication.shown
        )

    @property
    def origin(self) -> str | None:
        """Where it goes, if no subject can change that."""
        fixed = self.url.static_prefix
        if self.url.tags and not _PAST_HOST.match(fixed):
            return None
        try:
            return origin_of(fixed)
        except TransportError:
            # Each delivery says what is wrong with it.
            return None

    @property
    def uses_secrets(self) -> bool:
        return bool(self.secrets)

    @cached_property
    def _sent(self) -> list[str]:
        return sorted(self._tagged | secrets_for_destination(self.step))

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
        self, context: RenderContext, render: _Render, extra: Iterable[tuple[str, str]]
    ) -> Request:
        headers = [(name, render(template)) for name, template in self.headers]
        headers.append((DELIVERY_ID_HEADER, context.delivery_id))
        headers += extra
        body = None
        if self.body is not None:
            body = render(self.body).encode("utf-8", "replace")
        return Request(self.method, render(self.url), tuple(headers), body)

    @property
    def words(self) -> str:
        where = (self.origin or "").removesuffix(":443")
        return f"Send a {self.method} request to {where or 'a host that tags name'}"

    def empty_tags(self, context: RenderContext) -> list[str]:
        """The tags that have no value for this subject."""
        found = (tag for item in self.templates for tag in item.empty_tags(context))
        return list(dict.fromkeys(found))


StepTemplate = RequestTemplate | ChangeTemplate | EmailTemplate


def _compile(step: Mapping[str, Any], scope: Scope) -> StepTemplate:
    match step.get("kind", WebRequest.kind):  # Older runs had but one kind.
        case WebRequest.kind:
            return RequestTemplate.compile(step, scope)
        case SendEmail.kind:
            return EmailTemplate.compile(step, scope)
    return ChangeTemplate.compile(step, scope)


@dataclass
class Plan:
    """A run's macro, ready to work."""

    macro: str
    policy: RetryPolicy
    steps: list[StepTemplate]
    vault: Vault = field(default_factory=Vault)
    subject_kind: SubjectKind = SubjectKind.FEEDBACK
    _tls: dict[tuple[str, str, str], TlsOptions] = field(
        default_factory=dict, repr=False
    )

    @cached_property
    def origins(self) -> set[str] | None:
        """Where its requests go, if no subject can change that."""
        found = {step.origin for step in self.requests}
        return None if None in found else {origin for origin in found if origin}

    @cached_property
    def requests(self) -> list[RequestTemplate]:
        return [step for step in self.steps if isinstance(step, RequestTemplate)]

    @property
    def is_all_requests(self) -> bool:
        """False where something can be done even if no destination takes anything."""
        return len(self.requests) == len(self.steps)

    def tls_for(self, destination: Destination | None) -> TlsOptions | None:
        """Raises RenderError where the key of a client certificate can't be had."""
        if destination is None:
            return None
        key = (
            destination.ca_certificates,
            destination.client_certificate,
            destination.client_key_secret,
        )
        if not any(key):
            return None
        if key not in self._tls:
            self._tls[key] = tls_options(destination)
        return self._tls[key]

    @classmethod
    def from_snapshot(cls, snapshot: Mapping[str, Any]) -> Plan:
        """Compile the steps and open the secrets that they use."""
        fields = [FieldInfo(**info) for info in snapshot["fields"]]
        kind = SubjectKind(snapshot.get("subject_kind", SubjectKind.FEEDBACK))
        scope = Scope.of(fields, snapshot.get("secrets", ()), kind)
        steps = [_compile(step, scope) for step in snapshot["steps"]]
        names = frozenset[str]().union(*(step.secrets for step in steps))
        vault = Vault()
        if names:
            owners = snapshot["community"], snapshot["project"]
            vault = Secret.objects.open(*owners, names)
        for step in steps:
            step.unlock(vault)
        policy = RetryPolicy.from_snapshot(snapshot)
        return cls(snapshot["macro"], policy, steps, vault, kind)

    def load_subjects(self, pks: Iterable[int]) -> dict[int, Feedback | Tester]:
        """With the columns that the templates read alone; who was erased is nobody."""
        rows: QuerySet[Any] = Feedback.objects.all()
        if self.subject_kind == SubjectKind.TESTER:
            rows = Tester.objects.filter(erased_at=None)
        related = {path.rpartition("__")[0] for path in self._reads} - {""}
        rows = rows.filter(pk__any_of=list(pks)).only("pk", *self._reads)
        if related:
            rows = rows.select_related(*related)
        return {row.pk: row for row in rows.order_by()}

    @property
    def _reads(self) -> set[str]:
        return {
            path
            for step in self.steps
            for template in step.templates
            for path in template.reads
        }


def context_for(
    subject: Feedback | Tester,
    run: Run,
    pk: int,
    now: datetime,
    secrets: Mapping[str, str] = MappingProxyType({}),
) -> RenderContext:
    """What the tags of one delivery read; `pk` is the delivery's, 0 in a preview.

    `secrets` are the values of the plan's vault.
    """
    model = type(subject)
    return RenderContext(
        subject=subject,
        subject_url=_url_pattern(model).replace("/0/", f"/{subject.pk}/"),
        macro=run.macro_name,
        run_id=str(run.pk or "preview"),
        delivery_id=delivery_id(run.key, pk),
        now=now,
        secrets=secrets,
        project=run.project.name if model is Tester and run.project else "",
    )


@cache
def _url_pattern(model: type[Model]) -> str:
    path = reverse(f"admin:feedback_{model._meta.model_name}_change", args=[0])
    return f"{settings.BASE_URL}{path}"
