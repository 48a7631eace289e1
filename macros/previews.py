"""What a macro would send, before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from django.db.models import QuerySet
from django.utils import timezone

from feedback.models import Feedback
from logs.models import Run
from logs.redaction import MASK, header_lines, mask_header, mask_url

from . import curl
from .models import Macro, WebRequest
from .rendering import Plan, RequestTemplate, context_for
from .tags import Context, RenderError

# Tickets whose tags are tried; a bigger selection is judged by its first ones.
LOOKED_AT = 200


@dataclass(slots=True)
class RequestPreview:
    """A rendered request as it may be shown, or why it can't be built."""

    method: str = ""
    url: str = ""
    headers: str = ""
    body: str = ""
    error: str = ""
    # The same for a shell, with a variable for each mask.
    curl: str = ""


@dataclass(slots=True)
class Preview:
    count: int
    looked_at: int = 0
    sample: Feedback | None = None
    requests: list[RequestPreview] = field(default_factory=list)
    hosts: dict[str, int] = field(default_factory=dict)
    # Tag or error -> references of the first tickets it concerns, and how many.
    empty: dict[str, list[str]] = field(default_factory=dict)
    failing: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_partial(self) -> bool:
        return self.count > self.looked_at


def preview(macro: Macro, tickets: QuerySet[Feedback]) -> Preview:
    """Render for the first of the tickets. Raises TemplateError."""
    plan = Plan.from_snapshot(macro.snapshot())
    run = Run(key="preview", macro_name=macro.name)
    now = timezone.now()
    rows = tickets.select_related(
        "status", "submitter", "feedback_type__project__community"
    )
    found = Preview(count=tickets.count())
    for ticket in rows.order_by("pk")[:LOOKED_AT]:
        context = context_for(ticket, run, 0, now, plan.vault.values)
        found.looked_at += 1
        if found.sample is None:
            found.sample = ticket
            found.requests = [_rendered(step, context) for step in plan.steps]
        for step in plan.steps:
            _look_at(found, step, context, ticket.reference)
    return found


def _rendered(step: RequestTemplate, context: Context) -> RequestPreview:
    try:
        request = step.render_masked(context)
    except RenderError as error:
        return RequestPreview(error=str(error))
    url, body = mask_url(request.url), request.body
    shown = [(name, mask_header(name, value)) for name, value in request.headers]
    text = None if body is None else body.decode()
    return RequestPreview(
        method=request.method,
        url=url,
        headers=header_lines(request.headers),
        body=text or "",
        curl=curl.write(request.method, url, shown, text, MASK),
    )


def _look_at(
    found: Preview, step: RequestTemplate, context: Context, reference: str
) -> None:
    for tag in step.empty_tags(context):
        found.empty.setdefault(tag, []).append(reference)
    try:
        request = step.render(context)
    except RenderError as error:
        found.failing.setdefault(str(error), []).append(reference)
        return
    host = step.vault.redact(urlsplit(request.url).netloc)
    found.hosts[host] = found.hosts.get(host, 0) + 1


def preview_step(step: WebRequest, target: Any) -> tuple[RequestPreview, list[str]]:
    """One web request, saved or not, and its tags that are empty for the target."""
    macro = step.macro
    plan = Plan.from_snapshot(macro.snapshot([step]))
    compiled = plan.steps[0]
    context = context_of(macro, target, plan.vault.values)
    shown = _rendered(compiled, context)
    if not shown.error:
        try:
            compiled.render(context)
        except RenderError as error:
            shown.error = str(error)
    return shown, compiled.empty_tags(context)


def context_of(
    macro: Macro, target: Any, secrets: Mapping[str, str] = MappingProxyType({})
) -> Context:
    """What tags read for a target before there is a run."""
    run = Run(key="preview", macro_name=macro.name, project=macro.project)
    return context_for(target, run, 0, timezone.now(), secrets)
