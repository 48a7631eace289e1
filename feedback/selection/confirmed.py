"""What was confirmed is what is sent: a selection is known by its rows."""

from __future__ import annotations

import hashlib

from django.db.models import Model, QuerySet

_CHUNK = 10_000


class SelectionChanged(Exception):
    """The rows are not those that were confirmed; nothing was done."""


def digest_of(rows: QuerySet[Model], column: str = "pk") -> str:
    """Alike for the same rows, whatever else is; reads them in chunks."""
    digest = hashlib.sha256()
    keys = rows.order_by(column).values_list(column, flat=True).distinct()
    for key in keys.iterator(_CHUNK):
        digest.update(b"%d," % key)
    return digest.hexdigest()


def what_changed(confirmed: str, count: int) -> str:
    """`confirmed` is the count as the form has it."""
    if confirmed == str(count):
        change = f"It still has {count:,}, but not the same ones."
    elif confirmed.isdecimal() and confirmed.isascii() and len(confirmed) < 10:
        change = f"It had {int(confirmed):,} and has {count:,} now."
    else:
        change = ""
    again = "Please check it again."
    return f"The selection has changed meanwhile. {change} {again}".replace("  ", " ")
