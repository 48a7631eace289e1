"""What became of every delivery of a run, counted at the receiver."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Mapping

from logs.models import Attempt, Delivery, Run, delivery_id

# `make soak` sets it: more tickets, more kills, longer outages. `short` is the part
# that every run of CI does.
SOAK = os.environ.get("SOAK", "")
SHORT_SOAK = 0.2
# Another one kills at other moments.
SEED = os.environ.get("SEED", "1")


def scaled(test: int, soak: int) -> int:
    if SOAK == "short":
        return max(test, round(soak * SHORT_SOAK))
    return soak if SOAK else test


def moments(count: int, below: int) -> list[int]:
    """So many different numbers, at random but the same in every run, in order."""
    return sorted(random.Random(SEED).sample(range(1, below), count))


def settled(*runs: Run) -> bool:
    for run in runs:
        run.refresh_from_db()
    return all(run.is_settled for run in runs)


def ids_of(*runs: Run) -> set[str]:
    rows = Delivery.objects.filter(run__in=runs).values_list("run__key", "pk")
    return {delivery_id(key, pk) for key, pk in rows}


class Account:
    def __init__(self, properties: list[tuple[str, object]]) -> None:
        self._properties = properties

    def settle(
        self, *runs: Run, arrived: Mapping[str, int], blows: int = 0, tries: int = 1
    ) -> int:
        """Check that every delivery was delivered and that nothing was made up.

        `arrived` says how often each id came to the receiver, `tries` how often it
        should have. Returns the number of repeats beyond that, each of which must be
        owned up to by an attempt whose outcome is unknown.
        """
        assert settled(*runs)
        rows = Delivery.objects.filter(run__in=runs)
        states = Counter(rows.values_list("state", flat=True))
        total = sum(run.total for run in runs)
        lost = len(ids_of(*runs) - set(arrived))
        repeats = sum(arrived.values()) - total * tries
        attempts = Attempt.objects.filter(delivery__run__in=runs)
        unknown = attempts.filter(outcome_unknown=True).count()
        self._note(runs=len(runs), deliveries=total, blows=blows)
        self._note(repeats=repeats, unknown=unknown, lost=lost)
        assert not lost
        assert states == {"delivered": total}
        assert not rows.exclude(lease="").exists()
        assert set(arrived) == ids_of(*runs), "nothing came under another id"
        assert [run.delivered for run in runs] == [run.total for run in runs]
        assert 0 <= repeats <= unknown
        return repeats

    def _note(self, **numbers: int) -> None:
        self._properties += [(f"account_{name}", n) for name, n in numbers.items()]
