"""What matched before a change, kept until it was made.

It is asked while the rows are locked and as they were. What a transaction leaves here
that is undone is asked anew with the next change of the same rows.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection, Mapping

from feedback.models import SubjectKind

_Matched = dict[int, set[int]]


class _Memory(threading.local):
    def __init__(self) -> None:
        self.matched: dict[SubjectKind, _Matched] = {}


_memory = _Memory()


def keep(
    kind: SubjectKind, pks: Collection[int], matched: Mapping[int, set[int]]
) -> None:
    """`matched` has, by the keys of triggers, which of these rows match."""
    kept = _memory.matched.setdefault(kind, defaultdict(set))
    for trigger in {*kept, *matched}:
        kept[trigger] = (kept[trigger] - set(pks)) | matched.get(trigger, set())


def take(kind: SubjectKind) -> _Matched:
    """All that was kept, which is forgotten."""
    return _memory.matched.pop(kind, {})
