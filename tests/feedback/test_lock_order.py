"""In which order rows are locked: what depends on others comes before them."""

from __future__ import annotations

from itertools import pairwise

from feedback.changes.deletion import lock_order
from feedback.models import Feedback
from feedback.models import Tester as Person
from logs.models import Delivery, DeliveryCount, Destination, Run
from macros.models import Macro


def test_deletions_lock_rows_in_the_order_in_which_results_are_recorded() -> None:
    recording = [Delivery, Feedback, Person, Destination, Run, DeliveryCount]
    # A trigger starts runs of its macro beside that.
    for order in (recording, [Feedback, Macro, Run]):
        positions = [lock_order()[model] for model in order]
        assert all(before < after for before, after in pairwise(positions))
