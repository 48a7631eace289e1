"""What a macro would do, before anything is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from django.db.models import QuerySet
from django.utils import timezone

from feedback.changes import Change, Judge, of_tester
from feedback.models import Feedback, Tester
from logs.models import Run, Target
from logs.redaction import MASK, header_lines, mask_header, mask_url

from ..authoring import curl
from ..models import Macro, WebRequest
from ..tags import Context, RenderError
from .changes import ChangeTemplate
from .emails import EmailTemplate
from .rendering import Plan, RequestTemplate, StepTemplate, context_for

# Targets whose tags are tried; a bigger selection is judged by its first ones.
LOOKED_AT = 200
# Targets of which a dry run says one by one what would change.
LISTED = 20
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
class Would:
    """What the macro would do with one target; `problem` is why it stops there."""

    target: Feedback | Tester
    lines: list[str] = field(default_factory=list)
    problem: str = ""

    @property
    def called(self) -> str:
        """As on the log."""
        target = self.target
        return target.email if isinstance(target, Tester) else target.reference


@dataclass(slots=True)
class Preview:
    count: int
    looked_at: int = 0
    # The macro's steps in words, in their order.
    steps: list[str] = field(default_factory=list)
    sample: str = ""
    requests: list[RequestPreview] = field(default_factory=list)
    hosts: dict[str, int] = field(default_factory=dict)
    # Tag or error -> what the first targets it concerns are called, and how many.
    empty: dict[str, list[str]] = field(default_factory=dict)
    failing: dict[str, list[str]] = field(default_factory=dict)
    # The first of the targets, where a macro does more than send requests.
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


def preview(macro: Macro, targets: QuerySet[Any]) -> Preview:
    """Render for the first of the targets. Raises TemplateError."""
    plan = Plan.from_snapshot(macro.snapshot())
    run = Run(key="preview", macro_name=macro.name, project=macro.project)
    now = timezone.now()
    rows = targets.select_related(*_RELATED[macro.target])
    judge = Judge([macro.feedback_type_id or 0])
    found = Preview(count=targets.count(), steps=[step.words for step in plan.steps])
    found.has_only_requests = plan.is_all_requests
    found.is_guessed = any(step.returns for step in plan.steps[:-1])
    for target in rows.order_by("pk")[:LOOKED_AT]:
        context = context_for(target, run, 0, now, plan.vault.values)
        found.looked_at += 1
        would = Would(target)
        is_first = found.looked_at == 1
        for step in plan.steps:
            if is_first and not isinstance(step, ChangeTemplate):
                found.requests.append(_rendered(step, context))
            if not would.problem:
                _look_at(found, step, context, would, judge)
        found.sample = found.sample or would.called
        _take(found, would)
    return found


def _take(found: Preview, would: Would) -> None:
    if would.problem:
        found.failing.setdefault(would.problem, []).append(would.called)
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
    """One step for one target, which is changed in memory for the steps after it."""
    for tag in step.empty_tags(context):
        found.empty.setdefault(tag, []).append(would.called)
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
    target = would.target
    tester = target if isinstance(target, Tester) else target.submitter
    if isinstance(target, Tester):
        verdict = of_tester(target, change)
    else:
        verdict = judge.of_ticket(target, change, tester)
    if not verdict.is_possible:
        would.problem = verdict.said
        return
    would.lines.append(verdict.short)
    found.unchanged += not verdict.changes_something
    for name, value in verdict.columns.items():
        setattr(target, name, value)
    if verdict.score is not None and tester is not None:
        tester.score = verdict.score


def preview_step(step: WebRequest, target: Any) -> tuple[RequestPreview, list[str]]:
    """One web request, saved or not, and its tags that are empty for the target."""
    macro = step.macro
    plan = Plan.from_snapshot(macro.snapshot([step]))
    [compiled] = plan.requests
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
