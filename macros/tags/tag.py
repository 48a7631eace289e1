"""What a tag is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .scope import RenderContext, Scope

Resolve = Callable[[RenderContext], object]

TYPES = ("text", "number", "boolean", "date", "list")


@dataclass(frozen=True, slots=True)
class Tag:
    """`name` is the canonical label; `type` is one of TYPES."""

    name: str
    group: str
    meaning: str
    sample: str
    type: str
    resolve: Resolve
    secret: bool = False
    # The subject's columns that it reads, as a Django query names them. One that is
    # left out is fetched subject by subject.
    reads: tuple[str, ...] = ()
    # It reads the change that started the run, which is kept for it.
    reads_change: bool = False
    # It reads the event by which a listener started the run.
    reads_payload: bool = False

    def __str__(self) -> str:
        return f"(({self.name}))"


@dataclass(frozen=True, slots=True)
class Namespace:
    """Tags that share a namespace: `((Field: Severity))` is one of Field."""

    name: str
    group: str
    meaning: str
    sample: str
    type: str
    # None when the scope has no such name. Raises ValueError, with a sentence, where
    # a name has a form of its own.
    find: Callable[[str, Scope], Tag | None]
