"""Change many rows of a list at once: what to, then what would change, then the change.

Nothing is written before somebody has seen what it would be.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from macros.models import Trigger

from ..changes import set_many, unit
from ..models import Feedback, Tester
from ..selection.confirmed import SelectionChanged, digest_of, what_changed
from .lists import ConditionsAdmin
from .many_values import CHOSEN, TesterValues, TicketValues, ValuesForm

# All of them change in one transaction, which nobody should wait for long.
MOST = 5_000
TEMPLATE = "admin/change_many.html"

_FORMS: dict[Any, type[ValuesForm]] = {Feedback: TicketValues, Tester: TesterValues}


@admin.action(description="Change fields…", permissions=["change"])
def change_many(
    modeladmin: ConditionsAdmin, request: HttpRequest, selected: QuerySet
) -> HttpResponse | None:
    """The form on the first POST, what would change on the second, then the change."""
    kind = _FORMS[modeladmin.model]
    own = kind.changeable(request.user)
    rows = own.filter(pk__in=selected.order_by().values("pk")).order_by()
    count = rows.count()
    if problem := _why_not(count, kind.noun):
        messages.error(request, problem)
        return None
    form = kind.of(rows, request.POST if "step" in request.POST else None)
    if form.is_valid() and _is_done(request, rows, count, form):
        return HttpResponseRedirect(request.get_full_path())
    left_out = selected.count() - count
    context = {
        **modeladmin.admin_site.each_context(request),
        "title": f"Change {count:,} {kind.noun}{'' if count == 1 else 's'}",
        "list_title": getattr(form, "feedback_type", None) or modeladmin.list_title,
        "form": form,
        "left_out": left_out,
        "why_left_out": kind.why_left_out.format("it" if left_out == 1 else "them"),
        "carried": _selection(request),
    }
    if form.is_valid():
        context |= _forecast(request, rows, form) | {"count": count}
    return TemplateResponse(request, TEMPLATE, context)


def _forecast(
    request: HttpRequest, rows: QuerySet[Any], form: ValuesForm
) -> dict[str, object]:
    """What would change, and what the confirmation says again."""
    return {
        "forecast": form.forecast(rows),
        "triggers": _named(form.triggers(rows), request),
        "carried": [*_selection(request), *_values(request, form)],
        "digest": digest_of(rows),
    }


def _why_not(count: int, noun: str) -> str:
    if not count:
        return f"You may change none of these {noun}s."
    if count > MOST:
        return (
            f"{count:,} {noun}s are selected, and at most {MOST:,} change at once."
            " Narrow the list, and change them in several turns."
        )
    return ""


def _is_done(
    request: HttpRequest, rows: QuerySet[Any], count: int, form: ValuesForm
) -> bool:
    """Whether it was confirmed and is changed; why it is not, a message says."""
    if request.POST["step"] != "change":
        return False
    try:
        changed = _changed(rows, request.POST.get("confirmed_selection", ""), form)
    except SelectionChanged:
        confirmed = request.POST.get("confirmed_count", "")
        messages.warning(request, what_changed(confirmed, count))
        return False
    as_before = count - changed
    more = f" {as_before:,} were so already." if as_before else ""
    were = f"{form.noun} was" if changed == 1 else f"{form.noun}s were"
    messages.success(request, f"{changed:,} {were} changed.{more}")
    return True


def _changed(rows: QuerySet[Any], confirmed: str, form: ValuesForm) -> int:
    """How many were changed. Raises SelectionChanged."""
    with transaction.atomic(), unit() as opened:
        # Held first, so that none is erased or leaves the selection after the look.
        opened.lock(rows.model, rows.values_list("pk", flat=True), ())
        if digest_of(rows) != confirmed:
            raise SelectionChanged
        return set_many(rows, answers=form.answers or None, **form.columns)


def _named(triggers: QuerySet[Trigger], request: HttpRequest) -> list[Trigger]:
    return list(triggers.visible_to(request.user))  # type: ignore[attr-defined]


def _selection(request: HttpRequest) -> list[tuple[str, str]]:
    """What the next form says again: the action, and what it was chosen for."""
    across = request.POST.get("select_across") == "1"
    picked = request.POST.getlist(ACTION_CHECKBOX_NAME)
    return [
        ("action", "change_many"),
        ("index", "0"),
        ("select_across", "1" if across else "0"),
        *((ACTION_CHECKBOX_NAME, each) for each in picked[: 1 if across else None]),
    ]


def _values(request: HttpRequest, form: ValuesForm) -> list[tuple[str, str]]:
    """The values that were chosen, as they were sent."""
    keys = {name: form.add_prefix(name) for name in form.cleaned_data}
    sent = [
        (key, value) for key in keys.values() for value in request.POST.getlist(key)
    ]
    return [*((CHOSEN, name) for name in keys), *sent]
