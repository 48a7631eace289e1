"""Signals for whoever keeps account of changes.

Each is sent in the transaction of its change.
"""

from __future__ import annotations

from django.db.models import Model
from django.dispatch import Signal

# A row as it was and as it is; None where it was not, or is no more.
Pair = tuple[Model | None, Model | None]

# With `before` and `after` (a Pair), `parts` (the Pairs of the rows below it) and
# `note`, a sentence where there is nothing to compare.
saved = Signal()
# With `rows`, all of one model, before they go.
deleted = Signal()

# Both are about tickets or testers, and sent once for all that are written together:
# with `pks`, before they are written, while they are locked and as they were;
changing = Signal()
# with `changes`, a list of Changed, and `origin`, an Origin, after they were written.
changed = Signal()
