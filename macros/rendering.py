"""From a macro and a ticket to the request that goes out, and its masked twin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.urls import reverse

from feedback.models import Feedback
from logs.models import Run, delivery_id

from . import retries
from .headers import compile_headers
from .http import Request
from .models.web_requests import BODY_PLACES, BodyKind
from .tags import (
    Context,
    FieldInfo,
    Place,
    RenderError,
    Scope,
    Template,
    compile_template,
)

DELIVERY_ID_HEADER = "Webhook-Id"

_Render = Callable[[Template], str]


class TooLarge(RenderError):
    """The body is beyond what may be sent."""


@dataclass(slots=True)
class RequestTemplate:
    """A web request step, compiled once and rendered per target."""

    method: str
    url: Template
    headers: list[tuple[str, Template]]
    body: Template | None

    @classmethod
    def compile(cls, step: Mapping[str, Any], scope: Scope) -> RequestTemplate:
        """Raises TemplateError; a step that was saved has been compiled before."""
        headers = compile_headers(step["headers"], scope)
        body = None
        if step["body_kind"] != BodyKind.NONE:
            place, content_type = BODY_PLACES[step["body_kind"]]
            body = compile_template(step["body"], place, scope)
            if not any(name.lower() == "content-type" for name, _ in headers):
                fixed = compile_template(content_type, Place.HEADER, scope)
                headers = [("Content-Type", fixed), *headers]
        url = compile_template(step["url"].strip(), Place.URL, scope)
        return cls(step["method"], url, headers, body)

    @property
    def templates(self) -> list[Template]:
        body = [self.body] if self.body else []
        return [self.url, *(template for _, template in self.headers), *body]

    def render(self, context: Context) -> Request:
        """The request as it is sent. Raises RenderError."""
        request = self._render(context, lambda template: template.render(context))
        if request.body and len(request.body) > settings.REQUEST_MAX_BYTES:
            limit = settings.REQUEST_MAX_BYTES
            raise TooLarge(None, f"The body is longer than {limit:,} bytes.")
        return request

    def render_masked(self, context: Context) -> Request:
        """The request as people may see it, secrets masked. Raises RenderError."""
        return self._render(context, lambda template: template.render_masked(context))

    @property
    def uses_secrets(self) -> bool:
        return any(template.uses_secrets for template in self.templates)

    def _render(self, context: Context, render: _Render) -> Request:
        headers = [(name, render(template)) for name, template in self.headers]
        headers.append((DELIVERY_ID_HEADER, context.delivery_id))
        body = None
        if self.body is not None:
            body = render(self.body).encode("utf-8", "replace")
        return Request(self.method, render(self.url), tuple(headers), body)

    def empty_tags(self, context: Context) -> list[str]:
        """The tags that have no value for this ticket."""
        found = (tag for item in self.templates for tag in item.empty_tags(context))
        return list(dict.fromkeys(found))


@dataclass(slots=True)
class Plan:
    """A run's macro, ready to work."""

    macro: str
    ladder: list[float]
    steps: list[RequestTemplate]

    @classmethod
    def from_snapshot(cls, snapshot: Mapping[str, Any]) -> Plan:
        scope = Scope.of(FieldInfo(**info) for info in snapshot["fields"])
        return cls(
            snapshot["macro"],
            retries.parse_ladder(snapshot["retry_ladder"]),
            [RequestTemplate.compile(step, scope) for step in snapshot["steps"]],
        )


def context_for(ticket: Feedback, run: Run, pk: int, now: datetime) -> Context:
    """What the tags of one delivery read; `pk` is the delivery's, 0 in a preview."""
    return Context(
        ticket=ticket,
        ticket_url=_ticket_url_pattern().replace("/0/", f"/{ticket.pk}/"),
        macro=run.macro_name,
        run_id=str(run.pk or "preview"),
        delivery_id=delivery_id(run.key, pk),
        now=now,
    )


@cache
def _ticket_url_pattern() -> str:
    path = reverse("admin:feedback_feedback_change", args=[0])
    return f"{settings.BASE_URL}{path}"
