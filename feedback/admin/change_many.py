"""Change many tickets at once: what to, then what would change, then the change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from macros.models import Trigger

from ..access.roles import CHANGE_TICKET
from ..changes import set_many
from ..forms import PREFIX, answers_in, questions_of
from ..models import Feedback, FeedbackType, Status, Visibility
from ..selection.confirmed import SelectionChanged, digest_of, what_changed
from ..units.facts import same
from .columns import in_cell
from .lists import ConditionsAdmin

# All of them change in one transaction, which nobody should wait for long.
MOST = 5_000
# What is chosen to be changed, and the names of the values.
CHOSEN, VALUES = "change", "to"
TEMPLATE = "admin/feedback/feedback/change_many.html"
NOTHING_CHOSEN = "Choose at least one thing to change, and what it becomes."

# What changes, from, to -> in how many tickets.
Counts = Counter[tuple[str, str, str]]


@dataclass(slots=True)
class Forecast:
    """What would become of the tickets; nothing is written."""

    counts: Counts = field(default_factory=Counter)
    changed: int = 0
    unchanged: int = 0

    @property
    def rows(self) -> list[tuple[str, str, str, int]]:
        """The largest first."""
        return [(*named, count) for named, count in self.counts.most_common()]


class ValuesForm(forms.Form):
    """What can be changed of tickets of one type; without one, what all have.

    Only what is chosen to be changed is read, whatever else was sent.
    """

    # A box that stays empty is no reason for a browser to stop the form.
    use_required_attribute = False

    def __init__(self, feedback_type: FeedbackType | None, data: Any = None) -> None:
        super().__init__(data, prefix=VALUES)
        if feedback_type is not None:
            statuses = Status.objects.filter(feedback_type=feedback_type)
            self.fields["status"] = forms.ModelChoiceField(statuses)
        self.fields["visibility"] = forms.ChoiceField(choices=Visibility.choices)
        if feedback_type is not None:
            self.fields.update(questions_of(feedback_type))
        self.chosen = set(data.getlist(CHOSEN)) if data is not None else set()

    def full_clean(self) -> None:
        offered = self.fields
        self.fields = {name: offered[name] for name in offered if name in self.chosen}
        super().full_clean()
        self.fields = offered

    def clean(self) -> dict[str, Any]:
        if not self.fields:
            raise forms.ValidationError(NOTHING_CHOSEN)
        return self.cleaned_data

    @property
    def columns(self) -> dict[str, Any]:
        values = self.cleaned_data.items()
        return {name: each for name, each in values if not name.startswith(PREFIX)}

    @property
    def answers(self) -> dict[str, object]:
        """Given by the keys of the questions; None takes one away."""
        given = answers_in(self.cleaned_data)
        asked = [name for name in self.cleaned_data if name.startswith(PREFIX)]
        keys = [name.removeprefix(PREFIX) for name in asked]
        return {key: given.get(key) for key in keys}


@admin.action(description="Change fields…", permissions=["change"])
def change_many(
    modeladmin: ConditionsAdmin, request: HttpRequest, selected: QuerySet
) -> HttpResponse | None:
    """The form on the first POST, what would change on the second, then the change."""
    own = Feedback.objects.visible_to(request.user, CHANGE_TICKET)
    rows = own.filter(pk__in=selected.order_by().values("pk"))
    count = rows.count()
    if problem := _why_not(count):
        messages.error(request, problem)
        return None
    of = _type_of(rows)
    form = ValuesForm(of, request.POST if "step" in request.POST else None)
    if form.is_valid() and _is_done(request, rows, count, form):
        return HttpResponseRedirect(request.get_full_path())
    context = {
        **modeladmin.admin_site.each_context(request),
        "title": f"Change {count:,} ticket{'' if count == 1 else 's'}",
        "feedback_type": of,
        "form": form,
        "left_out": selected.count() - count,
        "carried": _selection(request),
    }
    if form.is_valid():
        context |= {
            "forecast": forecast_of(rows, form),
            "triggers": _triggers_of(of),
            "carried": [*_selection(request), *_values(request, form)],
            "digest": digest_of(rows),
            "count": count,
        }
    return TemplateResponse(request, TEMPLATE, context)


def _why_not(count: int) -> str:
    if not count:
        return "You may change none of these tickets."
    if count > MOST:
        return (
            f"{count:,} tickets are selected, and at most {MOST:,} change at once."
            " Narrow the list, and change them in several turns."
        )
    return ""


def forecast_of(rows: QuerySet[Feedback], form: ValuesForm) -> Forecast:
    made = Forecast()
    labels = {
        name: str(each.label or name.capitalize()) for name, each in form.fields.items()
    }
    columns, answers = form.columns, form.answers
    for ticket in rows.select_related("status").order_by():
        differs = False
        for name, after in columns.items():
            before = getattr(ticket, name)
            if before != after:
                differs = True
                made.counts[(labels[name], _named(before), _named(after))] += 1
        for key, answer in answers.items():
            stored = ticket.form_values.get(key)
            if not same(stored, answer):
                differs = True
                named = (labels[PREFIX + key], in_cell(stored), in_cell(answer))
                made.counts[named] += 1
        made.changed += differs
        made.unchanged += not differs
    return made


def _named(value: Any) -> str:
    return Visibility(value).label if isinstance(value, str) else str(value or "-")


def _is_done(
    request: HttpRequest, rows: QuerySet[Feedback], count: int, form: ValuesForm
) -> bool:
    """Whether it was confirmed and is changed; why it is not, a message says."""
    if request.POST["step"] != "change":
        return False
    answers = form.answers
    try:
        with transaction.atomic():
            if digest_of(rows) != request.POST.get("confirmed_selection"):
                raise SelectionChanged
            changed = set_many(rows, answers=answers or None, **form.columns)
    except SelectionChanged:
        confirmed = request.POST.get("confirmed_count", "")
        messages.warning(request, what_changed(confirmed, count))
        return False
    as_before = count - changed
    more = f" {as_before:,} were so already." if as_before else ""
    are = "ticket was" if changed == 1 else "tickets were"
    messages.success(request, f"{changed:,} {are} changed.{more}")
    return True


def _type_of(rows: QuerySet[Feedback]) -> FeedbackType | None:
    """The type of all of them: status and answers are of one type each."""
    keys = rows.order_by().values_list("feedback_type", flat=True).distinct()[:2]
    types = list(FeedbackType.objects.filter(pk__in=list(keys)))
    return types[0] if len(types) == 1 else None


def _triggers_of(feedback_type: FeedbackType | None) -> Iterable[Trigger]:
    """Those that look at the changes, and may start macros."""
    rows = Trigger.objects.filter(macro__feedback_type=feedback_type, is_active=True)
    return rows.select_related("macro") if feedback_type else []


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
