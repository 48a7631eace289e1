"""A template's text and the pieces it is cut into."""

from __future__ import annotations

from dataclasses import dataclass, field

from .errors import Problem

# One slip can repeat on every line; nobody reads more than these.
MAX_PROBLEMS = 50


@dataclass(slots=True)
class Source:
    """A template's text, and what is wrong with it."""

    text: str
    problems: list[Problem] = field(default_factory=list)
    # What follows is not looked at.
    is_given_up: bool = False

    @property
    def is_spoilt(self) -> bool:
        return self.is_given_up or len(self.problems) >= MAX_PROBLEMS

    def give_up(self, offset: int, message: str) -> None:
        """With a fault beside which no other counts."""
        self.problems.clear()
        self.refuse(offset, message)
        self.is_given_up = True

    def refuse(self, offset: int, message: str, suggestion: str | None = None) -> None:
        if self.is_spoilt:
            return
        line = self.text.count("\n", 0, offset) + 1
        column = offset - self.text.rfind("\n", 0, offset)
        self.problems.append(Problem(line, column, message, suggestion))


@dataclass(frozen=True, slots=True)
class Literal:
    """The source from start to end; `text` is what it renders."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class RawFilter:
    """A filter as written; the offsets are those of its name and its argument."""

    name: str
    start: int
    argument: str | None = None
    argument_start: int = 0


@dataclass(frozen=True, slots=True)
class RawTag:
    """A tag as written, from its opening parentheses to its closing ones."""

    start: int
    end: int
    name: str
    filters: tuple[RawFilter, ...]


Piece = Literal | RawTag
