"""What a macro would do, before anything is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from django.db.models import QuerySet
from django.utils import timezone

from feedback.changes import ChangeChecker
from feedback.models import Feedback, SubjectKind, Tester
from logs.models import Run

from ..models import Macro, Step
from ..tags import RenderContext, RenderError
from .compiled import CompiledStep
from .dry_run import DryRunRow, RequestPreview, Subject
from .rendering import Plan, context_for

# Subjects whose tags are tried; a bigger selection is judged by its first ones.
LOOKED_AT = 200
# Subjects of which a dry run says one by one what would change.
LISTED = 20
_RELATED = {
    SubjectKind.FEEDBACK: ("status", "submitter", "feedback_type__project__community"),
    SubjectKind.TESTER: ("community",),
}


@dataclass(slots=True)
class Preview:
    """What a macro would do with a selection, judged by its first subjects."""

    count: int
    looked_at: int = 0
    # The macro's steps in words, in their order.
    steps: list[str] = field(default_factory=list)
    sample: str = ""
    requests: list[RequestPreview] = field(default_factory=list)
    hosts: dict[str, int] = field(default_factory=dict)
    # Tag or error -> the names of the first subjects it concerns, and how many.
    empty: dict[str, list[str]] = field(default_factory=dict)
    failing: dict[str, list[str]] = field(default_factory=dict)
    # The first of the subjects, where a macro does more than send requests.
    dry_run: list[DryRunRow] = field(default_factory=list)
    has_only_requests: bool = True
    unchanged: int = 0
    # A step comes after a response that is not known yet.
    is_guessed: bool = False

    @property
    def is_partial(self) -> bool:
        return self.count > self.looked_at

    @property
    def not_listed(self) -> int:
        return self.count - len(self.dry_run)

    def add(self, row: DryRunRow) -> None:
        """Count what would be done with one more subject."""
        self.looked_at += 1
        self.sample = self.sample or row.name
        self.unchanged += row.unchanged
        for host in row.hosts:
            self.hosts[host] = self.hosts.get(host, 0) + 1
        if row.problem:
            self.failing.setdefault(row.problem, []).append(row.name)
        if not self.has_only_requests and len(self.dry_run) < LISTED:
            self.dry_run.append(row)


def preview(macro: Macro, subjects: QuerySet[Feedback] | QuerySet[Tester]) -> Preview:
    """Render for the first of the subjects. Raises TemplateError."""
    plan = Plan.from_snapshot(macro.snapshot())
    run = Run(key="preview", macro_name=macro.name, project=macro.project)
    now = timezone.now()
    rows = subjects.select_related(*_RELATED[macro.subject_kind])
    checker = ChangeChecker([macro.feedback_type_id or 0])
    result = Preview(count=subjects.count(), steps=[step.words for step in plan.steps])
    result.has_only_requests = plan.is_all_requests
    result.is_guessed = any(step.returns for step in plan.steps[:-1])
    for subject in rows.order_by("pk")[:LOOKED_AT]:
        context = context_for(subject, run, 0, now, plan.vault.values)
        row = DryRunRow(subject)
        for step in plan.steps:
            if not result.looked_at and (request := step.preview(context)):
                result.requests.append(request)
            if not row.problem:
                _look_at(result, step, context, row, checker)
        result.add(row)
    return result


def _look_at(
    result: Preview,
    step: CompiledStep,
    context: RenderContext,
    row: DryRunRow,
    checker: ChangeChecker,
) -> None:
    """One step for one subject, which is changed in memory for the steps after it."""
    for tag in step.empty_tags(context):
        result.empty.setdefault(tag, []).append(row.name)
    try:
        step.dry_run(context, row, checker)
    except RenderError as error:
        row.problem = str(error)


def preview_step(step: Step, subject: Subject) -> tuple[RequestPreview, list[str]]:
    """The request of one step, saved or not, and its tags that have no value."""
    macro = step.macro
    plan = Plan.from_snapshot(macro.snapshot([step]))
    [compiled] = plan.steps
    context = context_of(macro, subject, plan.vault.values)
    shown = compiled.preview(context) or RequestPreview()
    if not shown.error:
        try:
            compiled.build(context)
        except RenderError as error:
            shown.error = str(error)
    return shown, compiled.empty_tags(context)


def context_of(
    macro: Macro, subject: Subject, secrets: Mapping[str, str] = MappingProxyType({})
) -> RenderContext:
    """What tags read for a subject before there is a run."""
    run = Run(key="preview", macro_name=macro.name, project=macro.project)
    return context_for(subject, run, 0, timezone.now(), secrets)
