"""The nearest known name to one that is not."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from feedback.names import normalise

# Comparing is quadratic in the length, and nobody names a tag this long by a slip.
_MAX_COMPARED = 100


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The most similar of `known`, which are compared as normalised names."""
    wanted = normalise(name)
    if not wanted or len(wanted) > _MAX_COMPARED:
        return None
    shown = {normalise(item): item for item in known}
    shown.pop(wanted, None)  # What looks the same would be no help.
    close = get_close_matches(wanted, shown, n=1, cutoff=0.6)
    if close:
        return shown[close[0]]
    # `Email` stands for `Submitter Email`, though few of its letters are the same.
    ending = [item for item in shown if item.endswith("_" + wanted)]
    return shown[ending[0]] if ending else None
