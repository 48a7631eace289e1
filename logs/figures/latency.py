"""How fast responses came, read from counts by bucket."""

from __future__ import annotations

from collections.abc import Mapping

from ..models import BOUNDS, BUCKETS


def percentile(counts: Mapping[str, int], share: int) -> str:
    """`up to 300 ms`: the bucket that holds the response at this share of all.

    Empty where there was no response.
    """
    total = sum(counts.get(name, 0) for name in BUCKETS)
    if not total:
        return ""
    # Rounded up in whole numbers: the 95th of 100, the 10th of 10.
    wanted, seen = -(-total * share // 100), 0
    for bound, name in zip(BOUNDS, BUCKETS, strict=False):
        seen += counts.get(name, 0)
        if seen >= wanted:
            return f"up to {in_words(bound)}"
    return f"over {in_words(BOUNDS[-1])}"


def in_words(milliseconds: int) -> str:
    """The unit stays beside its number where a line ends."""
    if milliseconds < 1000:
        return f"{milliseconds}\N{NO-BREAK SPACE}ms"
    return f"{milliseconds / 1000:g}\N{NO-BREAK SPACE}s"
