"""What a macro would send, before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.db.models import QuerySet
from django.utils import timezone

from feedback.models import Feedback, Tester
from logs.models import Run, Target
from logs.redaction import MASK, header_lines, mask_header, mask_url

from . import curl
from .models import Macro
from .rendering import Plan, RequestTemplate, context_for
from .tags import Context, RenderError

# Targets whose tags are tried; a bigger selection is judged by its first ones.
LOOKED_AT = 200
_RELATED = {
    Target.FEEDBACK: ("status", "submitter", "feedback_type__project__community"),
    Target.TESTER: ("community",),
}


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
    sample: str = ""
    requests: list[RequestPreview] = field(default_factory=list)
    hosts: dict[str, int] = field(default_factory=dict)
    # Tag or error -> what the first targets it concerns are called, and how many.
    empty: dict[str, list[str]] = field(default_factory=dict)
    failing: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_partial(self) -> bool:
        return self.count > self.looked_at


def preview(macro: Macro, targets: QuerySet[Any]) -> Preview:
    """Render for the first of the targets. Raises TemplateError."""
    plan = Plan.from_snapshot(macro.snapshot())
    run = Run(key="preview", macro_name=macro.name, project=macro.project)
    now = timezone.now()
    rows = targets.select_related(*_RELATED[macro.target])
    found = Preview(count=targets.count())
    for target in rows.order_by("pk")[:LOOKED_AT]:
        context = context_for(target, run, 0, now, plan.vault.values)
        found.looked_at += 1
        if not found.sample:
            found.sample = _called(target)
            found.requests = [_rendered(step, context) for step in plan.steps]
        for step in plan.steps:
            _look_at(found, step, context, _called(target))
    return found


def _called(target: Feedback | Tester) -> str:
    """As on the log."""
    return target.email if isinstance(target, Tester) else target.reference


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
    found: Preview, step: RequestTemplate, context: Context, called: str
) -> None:
    for tag in step.empty_tags(context):
        found.empty.setdefault(tag, []).append(called)
    try:
        request = step.render(context)
    except RenderError as error:
        found.failing.setdefault(str(error), []).append(called)
        return
    host = step.vault.redact(urlsplit(request.url).netloc)
    found.hosts[host] = found.hosts.get(host, 0) + 1
