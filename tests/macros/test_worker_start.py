"""A process that delivers, from its start."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from macros import deliveries
from macros.deliveries import Engine


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
