"""What would go, without anything going: decided as `steps` decides it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .policies import Limits
from .steps import ahead, is_old
from .tier import Row, Tier

# Rows of a tier that a page looks at, the oldest ones.
MAX_LOOKED_AT = 10_000


@dataclass(slots=True)
class Tally:
    """How many rows would go, and about how many bytes; more where `is_more`."""

    rows: int = 0
    bytes: int = 0
    is_more: bool = False


def rehearse(
    tier: Tier, limits: Limits, community: int | None = None, most: int | None = None
) -> Iterator[dict[int | None, Tally]]:
    """What a whole pass would do at this moment, by community, after each step.

    With `most` no more rows are looked at than so many and a step.
    """
    tallies: dict[int | None, Tally] = {}
    after = looked_at = 0
    is_last = False
    while not is_last:
        rows, is_last = ahead(tier, after, limits, community)
        _add(tallies, tier, [row for row in rows if is_old(tier, row, limits)])
        after = rows[-1].key if rows else after
        looked_at += len(rows)
        if most is not None and looked_at >= most and not is_last:
            is_last = True
            # There may be more of whom none was met.
            tallies.setdefault(community, Tally())
            for tally in tallies.values():
                tally.is_more = True
        yield tallies


def _add(tallies: dict[int | None, Tally], tier: Tier, rows: Sequence[Row]) -> None:
    by_community = defaultdict[int | None, list[Row]](list)
    for row in rows:
        by_community[row.community].append(row)
    for community, own in by_community.items():
        tally = tallies.setdefault(community, Tally())
        tally.rows += len(own)
        tally.bytes += tier.size(own)
