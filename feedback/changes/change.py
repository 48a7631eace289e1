"""What a macro changes on a ticket or tester, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class ChangeKind(StrEnum):
    STATUS = "status"
    FIELD = "field"
    COMMENT = "comment"
    VISIBILITY = "visibility"
    SCORE = "score"


@dataclass(frozen=True, slots=True)
class Change:
    """`value` is a status' name, a field's answer as text, a comment, a visibility or
    points; `key` is the field's."""

    kind: ChangeKind
    value: Any
    key: str = ""


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """What becomes of a change: `message` once it is made, `forecast` before.

    `columns` are the ticket's that it sets, `score` the tester's new one.
    """

    message: str
    forecast: str = ""
    is_possible: bool = True
    columns: dict[str, object] = field(default_factory=dict)
    comment: str = ""
    score: int | None = None

    @property
    def changes_something(self) -> bool:
        return bool(self.columns or self.comment or self.score is not None)
