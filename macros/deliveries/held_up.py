"""Runs that only wait for destinations that take nothing for now."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

from logs.models import Destination, Run

from ..models import kind_named

# How many are read at once: each holds its macro, as it was at the start.
MAX_READ = 500
# What a run does never changes, so each is read once; only those that are due are kept.
_only_sends: dict[int, bool] = {}


def held_up(due: Mapping[int, tuple[int, Sequence[str]]]) -> set[int]:
    """The runs of these that can do nothing but send to destinations that rest.

    Each is given with its community and origins. Where very many wait, some are among
    them for a few minutes that could do more, until they are read.
    """
    for gone in _only_sends.keys() - due.keys():
        _only_sends.pop(gone, None)
    communities = sorted({community for community, _ in due.values()})
    resting = Destination.objects.resting().filter(community__pk__any_of=communities)
    shut = set(resting.values_list("community", "origin")) if due else set()
    waiting = {
        pk
        for pk, (community, origins) in due.items()
        if origins and all((community, origin) in shut for origin in origins)
    }
    _read(heapq.nsmallest(MAX_READ, waiting - _only_sends.keys()))
    return {pk for pk in waiting if _only_sends.get(pk, True)}


def _read(pks: list[int]) -> None:
    if pks:
        for run in Run.objects.filter(pk__any_of=pks).only("snapshot"):
            _only_sends[run.pk] = not run.is_echo and _sends_only(run)


def _sends_only(run: Run) -> bool:
    """False also for a run that this version can't read: a worker looks at it."""
    if not run.is_readable:
        return False
    kinds = [kind_named(step["kind"]) for step in run.snapshot["steps"]]
    return all(kind is not None and kind.URL_SETTING for kind in kinds)
