"""Signals for whoever keeps account of changes.

Each is sent in the transaction of its change.
"""

from __future__ import annotations

from django.db.models import Model
from django.dispatch import Signal

# What tickets and testers announce.
from ..units import changed, changing

__all__ = ["awaited", "changed", "changing", "deleted", "saved", "set_together"]

# A row as it was and as it is; None where it was not, or is no more.
Pair = tuple[Model | None, Model | None]

# With `before` and `after` (a Pair), `parts` (the Pairs of the rows below it) and
# `note`, a sentence where there is nothing to compare.
saved = Signal()
# With `changes`, a list of Changed: rows of one model that were set or made together.
set_together = Signal()
# With `rows`, all of one model, before they go.
deleted = Signal()
# Asks, with `feedback_type`, whether anything waits for changes of its tickets or of
# its community's testers; a receiver says True or False.
awaited = Signal()
