"""What many tickets or testers can be given at once, and what that would change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from django import forms
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q, QuerySet
from django.forms import fields_for_model

from macros.models import Event, Trigger

from ..access.roles import CHANGE_TESTER, CHANGE_TICKET
from ..forms import PREFIX, answers_in, questions_of
from ..models import Feedback, FeedbackType, Status, Tester, Visibility
from ..units.facts import same
from .columns import in_cell

# What is chosen to be changed, and the names of the values.
CHOSEN, VALUES = "change", "to"
NOTHING_CHOSEN = "Choose at least one thing to change, and what it becomes."
# An e-mail, a name and a phone number are of one person.
_SHARED = (
    "company",
    "street1",
    "street2",
    "postal_code",
    "city",
    "region",
    "country",
    "score",
)
# A change makes no new ones.
_OF_NEW_ONES = (Event.SUBMITTED, Event.TESTER_ADDED)

# What changes, from, to -> in how many rows.
Counts = Counter[tuple[str, str, str]]


@dataclass(slots=True)
class Forecast:
    """What would become of the rows; nothing is written."""

    counts: Counts = field(default_factory=Counter)
    changed: int = 0
    unchanged: int = 0

    @property
    def rows(self) -> list[tuple[str, str, str, int]]:
        """The largest first."""
        return [(*named, count) for named, count in self.counts.most_common()]


class ValuesForm(forms.Form):
    """Only what is chosen to be changed is read, whatever else was sent."""

    # A box that stays empty is no reason for a browser to stop the form.
    use_required_attribute = False
    noun = why_left_out = ""

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, prefix=VALUES)
        self.chosen = set(data.getlist(CHOSEN)) if data is not None else set()

    @classmethod
    def changeable(cls, user: User | AnonymousUser) -> QuerySet[Any]:
        """The rows that the user may change."""
        raise NotImplementedError

    @classmethod
    def of(cls, rows: QuerySet[Any], data: Any = None) -> Self:
        """The form for these rows."""
        return cls(data)

    def triggers(self, rows: QuerySet[Any]) -> QuerySet[Trigger]:
        """Those that look at the changes, and may start macros."""
        active = Trigger.objects.filter(is_active=True).exclude(event__in=_OF_NEW_ONES)
        return active.select_related("macro")

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

    def label_of(self, name: str) -> str:
        return str(self.fields[name].label or name.capitalize())

    def shown(self, name: str, value: Any) -> str:
        return in_cell(value)

    def forecast(self, rows: Iterable[Any]) -> Forecast:
        made = Forecast()
        columns, answers = self.columns, self.answers
        for row in rows:
            differences = [
                (name, getattr(row, name), after)
                for name, after in columns.items()
                if getattr(row, name) != after
            ]
            stored = row.form_values if answers else {}
            differences += [
                (PREFIX + key, stored.get(key), answer)
                for key, answer in answers.items()
                if not same(stored.get(key), answer)
            ]
            for name, before, after in differences:
                values = self.shown(name, before), self.shown(name, after)
                made.counts[(self.label_of(name), *values)] += 1
            made.changed += bool(differences)
            made.unchanged += not differences
        return made


class TicketValues(ValuesForm):
    """What can be changed of tickets of one type; without one, what all have."""

    noun = "ticket"
    why_left_out = "you may not change {}"

    def __init__(self, feedback_type: FeedbackType | None, data: Any = None) -> None:
        super().__init__(data)
        self.feedback_type = feedback_type
        if feedback_type is not None:
            statuses = Status.objects.filter(feedback_type=feedback_type)
            self.fields["status"] = forms.ModelChoiceField(statuses)
        self.fields["visibility"] = forms.ChoiceField(choices=Visibility.choices)
        if feedback_type is not None:
            self.fields.update(questions_of(feedback_type))

    @classmethod
    def changeable(cls, user: User | AnonymousUser) -> QuerySet[Feedback]:
        rows = Feedback.objects.visible_to(user, CHANGE_TICKET)
        return rows.select_related("status")

    @classmethod
    def of(cls, rows: QuerySet[Feedback], data: Any = None) -> TicketValues:
        """Status and answers are of one type each."""
        keys = rows.order_by().values_list("feedback_type", flat=True).distinct()[:2]
        types = list(FeedbackType.objects.filter(pk__in=list(keys)))
        return cls(types[0] if len(types) == 1 else None, data)

    def triggers(self, rows: QuerySet[Feedback]) -> QuerySet[Trigger]:
        types = rows.order_by().values("feedback_type")
        return super().triggers(rows).filter(macro__feedback_type__in=types)

    def shown(self, name: str, value: Any) -> str:
        return Visibility(value).label if name == "visibility" else in_cell(value)


class TesterValues(ValuesForm):
    """What several testers can have in common."""

    noun = "tester"
    why_left_out = "you may not change {}, or what was stored was erased"

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.fields.update(fields_for_model(Tester, _SHARED))
        columns = {each.name: each for each in Tester._meta.fields}
        for name, each in self.fields.items():
            each.initial = None
            # What a form of one tester leaves to the row.
            own = columns[name].validators
            each.validators += [rule for rule in own if rule not in each.validators]

    @classmethod
    def changeable(cls, user: User | AnonymousUser) -> QuerySet[Tester]:
        """Nobody fills in again what was erased."""
        rows = Tester.objects.visible_to(user, CHANGE_TESTER)
        return rows.filter(erased_at=None)

    def triggers(self, rows: QuerySet[Tester]) -> QuerySet[Trigger]:
        communities = rows.order_by().values("community")
        own = Q(community__in=communities) | Q(project__community__in=communities)
        return super().triggers(rows).filter(own, macro__feedback_type=None)
