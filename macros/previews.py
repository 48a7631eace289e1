"""What a macro would do, before anything is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.db.models import QuerySet
from django.utils import timezone

from feedback.changes import Change, Judge
from feedback.models import Feedback
from logs.models import Run
from logs.redaction import MASK, header_lines, mask_header, mask_url

from . import curl
from .changes import ChangeTemplate
from .emails import EmailTemplate
from .models import Macro
from .rendering import Plan, RequestTemplate, StepTemplate, context_for
from .tags import Context, RenderError

# Tickets whose tags are tried; a bigger selection is judged by its first ones.
LOOKED_AT = 200
# Tickets of which a dry run says one by one what would change.
LISTED = 20


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
class Would:
    """What the macro would do with one ticket; `problem` is why it stops there."""

    ticket: Feedback
    lines: list[str] = field(default_factory=list)
    problem: str = ""


@dataclass(slots=True)
class Preview:
    count: int
    looked_at: int = 0
    # The macro's steps in words, in their order.
    steps: list[str] = field(default_factory=list)
    sample: Feedback | None = None
    requests: list[RequestPreview] = field(default_factory=list)
    hosts: dict[str, int] = field(default_factory=dict)
    # Tag or error -> references of the first tickets it concerns, and how many.
    empty: dict[str, list[str]] = field(default_factory=dict)
    failing: dict[str, list[str]] = field(default_factory=dict)
    # The first of the tickets, where a macro does more than send requests.
    dry_run: list[Would] = field(default_factory=list)
    has_only_requests: bool = True
    unchanged: int = 0
    # A step comes after an answer that is not known yet.
    is_guessed: bool = False

    @property
    def is_partial(self) -> bool:
        return self.count > self.looked_at

    @property
    def not_listed(self) -> int:
        return self.count - len(self.dry_run)


def preview(macro: Macro, tickets: QuerySet[Feedback]) -> Preview:
    """Render for the first of the tickets. Raises TemplateError."""
    plan = Plan.from_snapshot(macro.snapshot())
    run = Run(key="preview", macro_name=macro.name)
    now = timezone.now()
    rows = tickets.select_related(
        "status", "submitter", "feedback_type__project__community"
    )
    judge = Judge([macro.feedback_type_id or 0])
    found = Preview(count=tickets.count(), steps=[step.words for step in plan.steps])
    found.has_only_requests = plan.is_all_requests
    found.is_guessed = any(step.returns for step in plan.steps[:-1])
    for ticket in rows.order_by("pk")[:LOOKED_AT]:
        context = context_for(ticket, run, 0, now, plan.vault.values)
        found.looked_at += 1
        if found.sample is None:
            found.sample = ticket
        would = Would(ticket)
        for step in plan.steps:
            if found.sample is ticket and not isinstance(step, ChangeTemplate):
                found.requests.append(_rendered(step, context))
            if not would.problem:
                _look_at(found, step, context, would, judge)
        _take(found, would)
    return found


def _take(found: Preview, would: Would) -> None:
    if would.problem:
        found.failing.setdefault(would.problem, []).append(would.ticket.reference)
    if not found.has_only_requests and len(found.dry_run) < LISTED:
        found.dry_run.append(would)


def _rendered(
    step: RequestTemplate | EmailTemplate, context: Context
) -> RequestPreview:
    try:
        request = step.render_masked(context)
    except RenderError as error:
        return RequestPreview(error=str(error))
    url, body = mask_url(request.url), request.body
    shown = [(name, mask_header(name, value)) for name, value in request.headers]
    text = None if body is None else body.decode()
    is_mail = isinstance(step, EmailTemplate)
    return RequestPreview(
        method=request.method,
        url=url,
        headers=header_lines(request.headers),
        body=text or "",
        curl="" if is_mail else curl.write(request.method, url, shown, text, MASK),
    )


def _look_at(
    found: Preview, step: StepTemplate, context: Context, would: Would, judge: Judge
) -> None:
    """One step for one ticket, which is changed in memory for the steps after it."""
    for tag in step.empty_tags(context):
        found.empty.setdefault(tag, []).append(would.ticket.reference)
    try:
        if isinstance(step, ChangeTemplate):
            _judge(found, step.render(context), would, judge)
            return
        request = step.render(context)
    except RenderError as error:
        would.problem = str(error)
        return
    if isinstance(step, EmailTemplate):
        would.lines.append(f"E-mail to {request.url.removeprefix('mailto:')}")
        return
    host = step.vault.redact(urlsplit(request.url).netloc)
    found.hosts[host] = found.hosts.get(host, 0) + 1
    would.lines.append(f"{request.method} to {host}")


def _judge(found: Preview, change: Change, would: Would, judge: Judge) -> None:
    ticket = would.ticket
    verdict = judge.of_ticket(ticket, change, ticket.submitter)
    if not verdict.is_possible:
        would.problem = verdict.said
        return
    would.lines.append(verdict.short)
    found.unchanged += not verdict.changes_something
    for name, value in verdict.columns.items():
        setattr(ticket, name, value)
    if verdict.score is not None and ticket.submitter is not None:
        ticket.submitter.score = verdict.score
