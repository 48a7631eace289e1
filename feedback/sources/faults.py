"""What is wrong with what a program sends, all of it at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError

from ..names import Hints

Path = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """A member, by the names and numbers that lead to it, and what is wrong with it."""

    path: Path
    sentence: str


class SubmissionRefused(Exception):
    """Nothing was written."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = list(faults)
        super().__init__("; ".join(each.sentence for each in self.faults[:3]))


@dataclass(slots=True)
class Faults:
    """Collects them below one place of what was sent, which shares the hints of all."""

    at: Path = ()
    hints: Hints = field(default_factory=Hints)
    every: list[Fault] = field(default_factory=list)

    def add(self, path: Iterable[object], sentence: str) -> None:
        self.every.append(Fault((*self.at, *path), sentence))

    def add_unknown(self, name: str, known: Iterable[str]) -> None:
        self.add([name], f"There is no such member.{self.hints.near(name, known)}")

    def add_error(self, name: str, error: ValidationError) -> None:
        self.add([name], " ".join(error.messages))

    def __iter__(self) -> Iterator[Fault]:
        return iter(self.every)

    def __bool__(self) -> bool:
        return bool(self.every)
