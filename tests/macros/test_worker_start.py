"""A process that delivers, from its start."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from macros import deliveries
from macros.deliveries import Engine
from macros.deliveries.engine import TEND_EVERY


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr("macros.deliveries._engine", None)
    engine = deliveries.start()
    yield engine
    engine.stop()
    engine.join()
    gc.unfreeze()


@pytest.mark.django_db(transaction=True)
def test_what_is_loaded_at_the_start_is_left_alone_by_the_collector(
    engine: Engine,
) -> None:
    """A full collection in the middle of a run took as long as 1,000 deliveries."""
    assert gc.get_freeze_count() > 10_000


def test_the_database_connection_is_looked_after_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[int] = []
    monkeypatch.setattr(
        "macros.deliveries.engine.close_old_connections", lambda: looks.append(1)
    )
    engine = Engine()
    for _ in range(3):
        engine._tend_connection()
    assert len(looks) == 1
    engine._tended_at -= TEND_EVERY
    engine._tend_connection()
    assert len(looks) == 2
