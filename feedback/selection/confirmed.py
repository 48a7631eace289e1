"""What was confirmed is what is sent: a selection is known by its rows."""

from __future__ import annotations

from django.db.models import Count, F, Model, QuerySet, Sum
from django.db.models.expressions import Combinable

from .once import each_once

# A prime whose products fit into eight bytes: no database rounds or refuses them.
_PRIME = 2**31 - 1


class SelectionChanged(Exception):
    """The rows are not those that were confirmed; nothing was done."""


def digest_of(rows: QuerySet[Model], column: str = "pk") -> str:
    """Alike for the same rows, whatever else is; no row leaves the database.

    Three figures of the keys: how many they are, their sum, and the sum of their fifth
    powers by a prime. Other rows have the same ones by chance once in billions. Another
    column than the key is to be different in each row.
    """
    keys = each_once(rows) if column == "pk" else rows
    figures = keys.order_by().aggregate(
        count=Count(column), sum=Sum(column), powers=Sum(_fifth_power(F(column)))
    )
    return "-".join(f"{int(figure or 0):x}" for figure in figures.values())


def _fifth_power(key: Combinable) -> Combinable:
    small = key % _PRIME
    square = small * small % _PRIME
    return square * square % _PRIME * small % _PRIME


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
