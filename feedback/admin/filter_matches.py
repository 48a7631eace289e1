"""What a filter matches now: bounded, since a person waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.urls import reverse

from ..access.keys import Actor
from ..models import Filter, SubjectKind
from ..selection.saved import compiled, rows_of
from .filter_form import problems_by_row

SHOWN = 10
# Beyond that the page says only that there are more.
MAX_COUNTED = 100_000


@dataclass(frozen=True, slots=True)
class Match:
    name: str
    title: str
    url: str


def matches(row: Filter, actor: Actor) -> dict[str, object]:
    """For the page and its script. The rows are those that the actor may see."""
    result = compiled(row)
    context: dict[str, Any] = {
        "words": result.words,
        "problems": result.problems,
        "selects": row.selects,
    }
    if not result.problems:
        rows = rows_of(row)
        own: Any = rows.model._default_manager
        visible = rows.filter(pk__in=own.visible_to(actor).values("pk"))
        count = visible.order_by()[: MAX_COUNTED + 1].count()
        context |= {
            "count": count,
            "is_more": count > MAX_COUNTED,
            "max_counted": MAX_COUNTED,
            "rows": [_match(row, each) for each in visible.order_by("-pk")[:SHOWN]],
        }
    html = render_to_string("admin/feedback/filter/matches.html", context)
    return {"html": html, "problems": problems_by_row(row)}


def _match(row: Filter, subject: Any) -> Match:
    if row.subject_kind == SubjectKind.FEEDBACK:
        url = reverse("admin:feedback_feedback_change", args=[subject.pk])
        return Match(subject.reference, subject.title, url)
    url = reverse("admin:feedback_tester_change", args=[subject.pk])
    return Match(subject.email, subject.name, url)


def list_of(row: Filter) -> str:
    """The list that the filter narrows, in the admin."""
    if row.subject_kind == SubjectKind.TESTER:
        return f"{reverse('admin:feedback_tester_changelist')}?filter={row.pk}"
    tickets = reverse("admin:feedback_feedback_changelist")
    own = f"type={row.feedback_type_id}&" if row.feedback_type_id else ""
    return f"{tickets}?{own}filter={row.pk}"
