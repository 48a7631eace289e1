"""Where macros send, as far as their steps say it without a subject."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ..models import Macro, Step
from ..models.steps import step_kinds
from .kind import StepKind


def hosts_of(macros: Iterable[Macro]) -> dict[int, str]:
    """In words, by the macros' keys; a macro that sends nothing is left out.

    One query, whatever kinds of steps the macros have.
    """
    kinds = [
        kind
        for kind in step_kinds().values()
        if issubclass(kind, StepKind) and kind.SENT_BY
    ]
    columns = [f"{kind._meta.model_name}__{kind.SENT_BY}" for kind in kinds]
    keys = [macro.pk for macro in macros]
    steps = Step.objects.filter(macro__in=keys, is_active=True)
    rows = steps.order_by("position", "pk").values_list("macro", *columns)
    hosts: dict[int, dict[str, None]] = defaultdict(dict)
    for key, *values in rows:
        for kind, value in zip(kinds, values, strict=True):
            if value is not None:
                hosts[key][kind.host_in(value)] = None
    return {key: ", ".join(named) for key, named in hosts.items()}
