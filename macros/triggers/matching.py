"""Which subjects a trigger's filter selects: one query, in the database."""

from __future__ import annotations

from collections.abc import Collection

from feedback.selection.saved import compiled, failures

from ..models import Trigger
from ..runs import subjects_of


class FilterBroken(Exception):
    """Why a filter selects nothing, as a sentence."""


def matches(trigger: Trigger, pks: Collection[int]) -> set[int]:
    """Those that the macro may run on and the filter selects. Raises FilterBroken."""
    rows = subjects_of(trigger.macro).filter(pk__any_of=list(pks)).order_by()
    if trigger.filter is not None:
        chosen = compiled(trigger.filter)
        if chosen.problems:
            why = " ".join(problem.sentence for problem in chosen.problems[:3])
            raise FilterBroken(f"The filter {trigger.filter} is broken. {why}")
        rows = rows.filter(chosen.q)
    return set(rows.values_list("pk", flat=True))


def reasons(trigger: Trigger, pks: Collection[int]) -> dict[int, str]:
    """The condition that each of the macro's own subjects failed, in words."""
    if trigger.filter is None or not pks:
        return {}
    rows = subjects_of(trigger.macro).filter(pk__any_of=list(pks)).order_by()
    own = set(rows.values_list("pk", flat=True))
    return dict.fromkeys(own, "") | failures(trigger.filter, own)
