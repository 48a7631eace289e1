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
class Origin:
    """Who or what makes a change: a person, a program, or a macro in a run.

    `chain` names the triggers that led to it, the first one first, by their keys.
    """

    macro: str = ""
    run: int | None = None
    actor: str = ""
    chain: tuple[int, ...] = ()

    @property
    def is_automation(self) -> bool:
        return self.run is not None


@dataclass(frozen=True, slots=True)
class Changed:
    """What was different on a ticket or tester after a write.

    `before` and `after` hold the fields that differ, under the names that conditions
    have for them (`status`, `field_severity`, `external_jira_key`), as plain values of
    JSON; a status by its name, and under `status_id` by its key. What was missing is
    not in there. Of a row that is new, `before` is empty and `after` has all.
    """

    pk: int
    is_new: bool
    before: dict[str, object]
    after: dict[str, object]
    comments: tuple[str, ...] = ()

    @property
    def fields(self) -> list[str]:
        """The names of what differs, but for the status' key."""
        return sorted({*self.before, *self.after} - {"status_id"})


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
