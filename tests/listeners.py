"""Whoever listens to what tickets and testers announce."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from feedback.changes import Changed, Origin
from feedback.changes.signals import changed, changing


class Heard:
    """What was announced, in order, each with the name of its model."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.changing: list[tuple[str, list[int]]] = []
        self.changes: list[tuple[str, Changed]] = []
        self.origins: list[Origin] = []

    def hear_changing(self, sender: Any, pks: list[int], **kwargs: Any) -> None:
        self.changing.append((sender.__name__, pks))

    def hear_changed(
        self, sender: Any, changes: list[Changed], origin: Origin, **kwargs: Any
    ) -> None:
        self.changes += [(sender.__name__, each) for each in changes]
        self.origins.append(origin)


@pytest.fixture
def heard(db: None) -> Iterator[Heard]:
    ears = Heard()
    changing.connect(ears.hear_changing)
    changed.connect(ears.hear_changed)
    yield ears
    changing.disconnect(ears.hear_changing)
    changed.disconnect(ears.hear_changed)
