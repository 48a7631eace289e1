"""Which subjects a trigger's filter selects: one query, in the database."""

from __future__ import annotations

from collections.abc import Collection

from feedback.models import Feedback, Filter
from feedback.selection.catalogue import Catalogue
from feedback.selection.saved import Compiled, catalogue_for, compiled, failures

from ..models import Trigger
from ..runs import subjects_of


class FilterBroken(Exception):
    """Why a filter selects nothing, as a sentence."""


class Matching:
    """Filters of several triggers, at one moment: what they share is read once."""

    def __init__(self) -> None:
        self._catalogues: dict[tuple[str, int, str], Catalogue] = {}
        self._compiled: dict[int, Compiled] = {}
        self._types: dict[int, int] = {}

    def matches(self, trigger: Trigger, pks: Collection[int]) -> set[int]:
        """Those that the macro may run on and the filter selects.

        Raises FilterBroken.
        """
        # A set: Django goes through a list value by value.
        rows = subjects_of(trigger.macro).filter(pk__any_of=set(pks)).order_by()
        if trigger.filter is not None:
            chosen = self.compiled(trigger.filter)
            if chosen.problems:
                why = " ".join(problem.sentence for problem in chosen.problems[:3])
                raise FilterBroken(f"The filter {trigger.filter} is broken. {why}")
            rows = rows.filter(chosen.q)
        return set(rows.values_list("pk", flat=True))

    def reasons(self, trigger: Trigger, pks: Collection[int]) -> dict[int, str]:
        """The condition that each of the macro's own subjects failed, in words."""
        if trigger.filter is None or not pks:
            return {}
        own = self.own(trigger, pks)
        if not own:
            return {}
        catalogue = self._catalogue(trigger.filter)
        return dict.fromkeys(own, "") | failures(
            trigger.filter, own, catalogue=catalogue
        )

    def compiled(self, chosen: Filter) -> Compiled:
        if chosen.pk not in self._compiled:
            catalogue = self._catalogue(chosen)
            self._compiled[chosen.pk] = compiled(chosen, catalogue=catalogue)
        return self._compiled[chosen.pk]

    def _catalogue(self, chosen: Filter) -> Catalogue:
        owner = chosen.owner
        key = owner._meta.label, owner.pk, chosen.subject_kind
        if key not in self._catalogues:
            self._catalogues[key] = catalogue_for(owner, chosen.subject_kind)
        return self._catalogues[key]

    def own(self, trigger: Trigger, pks: Collection[int]) -> list[int]:
        """Those that the macro may run on, whatever the filter says."""
        of_type = trigger.macro.feedback_type_id
        if of_type is None:
            rows = subjects_of(trigger.macro).filter(pk__any_of=set(pks)).order_by()
            return sorted(rows.values_list("pk", flat=True))
        unknown = set(pks) - self._types.keys()
        if unknown:
            tickets = Feedback.objects.filter(pk__any_of=unknown).order_by()
            self._types.update(tickets.values_list("pk", "feedback_type"))
        return [pk for pk in pks if self._types.get(pk) == of_type]
