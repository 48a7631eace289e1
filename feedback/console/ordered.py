"""The rows below one row as one ordered list in its form, whatever their kinds.

Without scripts each has a number for its position. With them (`ordered.js`) they are
added, moved, doubled and removed where they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from django.contrib.admin.helpers import InlineAdminForm, InlineAdminFormSet
from django.forms import BaseInlineFormSet, Form, ModelForm, NumberInput
from django.http import HttpRequest

T = TypeVar("T")

POSITION = "position"
# In a page's URL: the model that gets one more empty form, where no script adds any.
ADD = "add"


@dataclass(frozen=True, slots=True)
class Line:
    """What stands for a row while it is folded."""

    text: str
    note: str = ""
    is_on: bool = True
    # The colour of a badge around the text, where it is one.
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the list; one without a form only has a position."""

    prefix: str
    line: Line
    position: object
    admin_form: InlineAdminForm | None = None
    is_open: bool = False
    inline: Any = None
    may_remove: bool = False
    may_change: bool = True

    @property
    def fieldsets(self) -> list[Any]:
        """Without the first, which the list itself shows."""
        return [*self.admin_form][1:] if self.admin_form else []

    @property
    def switch(self) -> Any:
        form = self.admin_form.form if self.admin_form else Form()
        return form["is_active"] if "is_active" in form.fields else None

    @property
    def problems(self) -> int:
        form = self.admin_form.form if self.admin_form else Form()
        return sum(map(len, form.errors.values())) if form.is_bound else 0

    @property
    def model(self) -> str:
        return str(self.inline.model._meta.model_name) if self.inline else ""

    @property
    def key(self) -> str:
        """The field that names the stored row, which a double does not have."""
        return str(self.inline.model._meta.pk.name) if self.inline else ""


@dataclass
class OrderedList:
    """What `admin/ordered_list.html` shows."""

    name: str
    noun: str
    formsets: Sequence[InlineAdminFormSet]
    entries: list[Entry] = field(default_factory=list)
    # An empty form for each kind that can be added.
    blanks: list[Entry] = field(default_factory=list)


class OrderedFormSet(BaseInlineFormSet):
    """Rows with positions: who gives none comes last, and no two have the same."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if POSITION in form.fields:
            position = form.fields[POSITION]
            position.required, position.initial = False, None
            position.widget = NumberInput(
                {"class": "position", "min": "0", "max": "32767"}
            )

    def clean(self) -> None:
        super().clean()
        self.give_positions()

    def give_positions(self) -> None:
        gone = self.deleted_forms
        forms = [form for form in self.forms if form not in gone and _is_row(form)]
        for form, position in positions(
            forms, lambda form: form.cleaned_data.get(POSITION)
        ):
            form.cleaned_data[POSITION] = form.instance.position = position
            form.changed_data.append(POSITION)


def _is_row(form: ModelForm) -> bool:
    is_filled = form.instance.pk is not None or form.has_changed()
    return is_filled and hasattr(form, "cleaned_data")


def in_order(rows: Iterable[T], position_of: Callable[[T], int | None]) -> list[T]:
    """Those without a position last, of one position as they were."""

    def key(row: T) -> tuple[bool, int]:
        position = position_of(row)
        return position is None, position or 0

    return sorted(rows, key=key)


def positions(
    rows: Iterable[T], position_of: Callable[[T], int | None]
) -> Iterator[tuple[T, int]]:
    """The rows whose position changes, with the new one, so that each has its own.

    Where all have one already, none changes: nothing is written that nobody changed.
    """
    ordered = in_order(rows, position_of)
    given = [position_of(row) for row in ordered]
    if None in given or len(set(given)) < len(given):
        for position, row in enumerate(ordered, start=1):
            if position_of(row) != position:
                yield row, position


class OrderedInline:
    """An inline whose rows stand in such a list; it says what their lines are."""

    # The first section is the list's own.
    head: Sequence[str] = (POSITION,)
    # Each is one row of inputs, without a line of its own.
    is_flat = False

    @property
    def label(self) -> str:
        """What adding one says."""
        return f"Add a {self.verbose_name}"  # type: ignore[attr-defined]

    @property
    def has_preview(self) -> bool:
        return False

    def line_of(self, row: Any) -> Line:
        return Line(str(row))

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        name = self.model._meta.model_name  # type: ignore[attr-defined]
        return int(request.method == "GET" and request.GET.get(ADD) == name)


def ordered_list(
    name: str,
    noun: str,
    formsets: Sequence[InlineAdminFormSet],
    fixed: Sequence[Entry] = (),
) -> OrderedList:
    """The rows of the formsets in order, and what only has a position beside them."""
    made = OrderedList(name, noun, formsets)
    entries = [*fixed]
    for formset in formsets:
        for form in formset:
            if _is_blank(form):
                made.blanks.append(_entry(formset, form))
            else:
                entries.append(_entry(formset, form))
    made.entries = in_order(entries, _position)
    if len(made.entries) == 1 and made.entries[0].admin_form:
        made.entries = [replace(made.entries[0], is_open=True)]
    return made


def _entry(formset: InlineAdminFormSet, admin_form: InlineAdminForm) -> Entry:
    form, inline = admin_form.form, formset.opts
    is_new = admin_form.original is None
    line = inline.line_of(form.instance)
    return Entry(
        prefix=str(form.prefix),
        line=Line(inline.label) if _is_blank(admin_form) else line,
        position=form[POSITION].value() if POSITION in form.fields else None,
        admin_form=admin_form,
        is_open=is_new or (form.is_bound and bool(form.errors)),
        inline=inline,
        may_remove=bool(formset.formset.can_delete)
        and (is_new or formset.has_delete_permission),
        may_change=is_new or formset.has_change_permission,
    )


def _is_blank(admin_form: InlineAdminForm) -> bool:
    """Whether it is what a new row begins with."""
    return "__prefix__" in str(admin_form.form.prefix)


def _position(entry: Entry) -> int | None:
    try:
        return int(str(entry.position))
    except ValueError:
        return None
