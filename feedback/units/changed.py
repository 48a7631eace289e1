"""What is announced: what was different after a write, and whose work it was."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """Who or what makes a change: a person, a program, a macro in a run, or a listener
    that another system has called.

    `chain` names the triggers that led to it, the first one first, by their keys.
    """

    macro: str = ""
    run: int | None = None
    actor: str = ""
    listener: str = ""
    chain: tuple[int, ...] = ()

    @property
    def is_automation(self) -> bool:
        return self.run is not None or bool(self.listener)

    @property
    def depth(self) -> int:
        return len(self.chain)


@dataclass(frozen=True, slots=True)
class Changed:
    """What was different on a ticket or tester after a write.

    `before` and `after` hold the fields that differ, under the names that conditions
    have for them (`status`, `field_severity`, `external_jira_key`), as plain values of
    JSON, numbers that are not whole as Decimals; a status by its name, and under
    `status_id` by its key. What was missing is not in there, and neither is a blank
    text or answer. Of a row that is new, `before` is empty and `after` has all.
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
