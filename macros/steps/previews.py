"""What a macro would do, before anything is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from django.db.models import QuerySet
from django.utils import timezone

from feedback.changes import Change, ChangeChecker, check_tester
from feedback.models import Feedback, Tester
from logs.models import Run, SubjectKind
from logs.redaction import MASK, header_lines, mask_header, mask_url

from ..authoring import curl
from ..models import Macro, WebRequest
from ..tags import RenderContext, RenderError
from .changes import ChangeTemplate
from .emails import EmailTemplate
from .rendering import Plan, RequestTemplate, StepTemplate, context_for

# Subjects whose tags are tried; a bigger selection is checked by its first ones.
LOOKED_AT = 200
# Subjects of which a dry run says one by one what would change.
LISTED = 20
_RELATED = {
    SubjectKind.FEEDBACK: ("status", "submitter", "feedback_type__project__community"),
    SubjectKind.TESTER: ("community",),
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
class DryRunRow:
    """What the macro would do with one subject; `problem` is why it stops there."""

    subject: Feedback | Tester
    lines: list[str] = field(default_factory=list)
    problem: str = ""

    @property
    def called(self) -> str:
        """As on the log."""
        subject = self.subject
        return subject.email if isinstance(subject, Tester) else subject.reference


@dataclass(slots=True)
class Preview:
    count: int
    looked_at: int = 0
    # The macro's steps in words, in their order.
    steps: list[str] = field(default_factory=list)
    sample: str = ""
    requests: list[RequestPreview] = field(default_factory=list)
    hosts: dict[str, int] = field(default_factory=dict)
    # Tag or error -> what the first subjects it concerns are called, and how many.
    empty: dict[str, list[str]] = field(default_factory=dict)
    failing: dict[str, list[str]] = field(default_factory=dict)
    # The first of the subjects, where a macro does more than send requests.
    dry_run: list[DryRunRow] = field(default_factory=list)
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


def preview(macro: Macro, subjects: QuerySet[Any]) -> Preview:
    """Render for the first of the subjects. Raises TemplateError."""
    plan = Plan.from_snapshot(macro.snapshot())
    run = Run(key="preview", macro_name=macro.name, project=macro.project)
    now = timezone.now()
    rows = subjects.select_related(*_RELATED[macro.subject_kind])
    checker = ChangeChecker([macro.feedback_type_id or 0])
    found = Preview(count=subjects.count(), steps=[step.words for step in plan.steps])
    found.has_only_requests = plan.is_all_requests
    found.is_guessed = any(step.returns for step in plan.steps[:-1])
    for subject in rows.order_by("pk")[:LOOKED_AT]:
        context = context_for(subject, run, 0, now, plan.vault.values)
        found.looked_at += 1
        would = DryRunRow(subject)
        is_first = found.looked_at == 1
        for step in plan.steps:
            if is_first and not isinstance(step, ChangeTemplate):
                found.requests.append(_rendered(step, context))
            if not would.problem:
                _look_at(found, step, context, would, checker)
        found.sample = found.sample or would.called
        _take(found, would)
    return found


def _take(found: Preview, would: DryRunRow) -> None:
    if would.problem:
        found.failing.setdefault(would.problem, []).append(would.called)
    if not found.has_only_requests and len(found.dry_run) < LISTED:
        found.dry_run.append(would)


def _rendered(
    step: RequestTemplate | EmailTemplate, context: RenderContext
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
    found: Preview,
    step: StepTemplate,
    context: RenderContext,
    would: DryRunRow,
    checker: ChangeChecker,
) -> None:
    """One step for one subject, which is changed in memory for the steps after it."""
    for tag in step.empty_tags(context):
        found.empty.setdefault(tag, []).append(would.called)
    try:
        if isinstance(step, ChangeTemplate):
            _check(found, step.render(context), would, checker)
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


def _check(
    found: Preview, change: Change, would: DryRunRow, checker: ChangeChecker
) -> None:
    subject = would.subject
    tester = subject if isinstance(subject, Tester) else subject.submitter
    if isinstance(subject, Tester):
        result = check_tester(subject, change)
    else:
        result = checker.check_ticket(subject, change, tester)
    if not result.is_possible:
        would.problem = result.message
        return
    would.lines.append(result.forecast)
    found.unchanged += not result.changes_something
    for name, value in result.columns.items():
        setattr(subject, name, value)
    if result.score is not None and tester is not None:
        tester.score = result.score


def preview_step(step: WebRequest, subject: Any) -> tuple[RequestPreview, list[str]]:
    """One web request, saved or not, and its tags that are empty for the subject."""
    macro = step.macro
    plan = Plan.from_snapshot(macro.snapshot([step]))
    [compiled] = plan.requests
    context = context_of(macro, subject, plan.vault.values)
    shown = _rendered(compiled, context)
    if not shown.error:
        try:
            compiled.render(context)
        except RenderError as error:
            shown.error = str(error)
    return shown, compiled.empty_tags(context)


def context_of(
    macro: Macro, subject: Any, secrets: Mapping[str, str] = MappingProxyType({})
) -> RenderContext:
    """What tags read for a subject before there is a run."""
    run = Run(key="preview", macro_name=macro.name, project=macro.project)
    return context_for(subject, run, 0, timezone.now(), secrets)
