"""Who is alive: those long gone are forgotten, those with a slow clock are not."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import patch

import pytest
from django.utils import timezone

from macros import queue, signs_of_life
from macros.signs_of_life import KEPT_SECONDS

pytestmark = pytest.mark.django_db


def noted() -> dict[str, set[str]]:
    redis = queue.redis()
    kept = ("centerhook:processes", "centerhook:clocks")
    return {key: set(map(signs_of_life._text, redis.hkeys(key))) for key in kept}


def test_who_is_silent_for_an_hour_is_forgotten() -> None:
    now, long_ago = timezone.now(), KEPT_SECONDS + 60
    at_redis = signs_of_life.time_of(queue.redis())
    with patch.object(signs_of_life, "time_of", return_value=at_redis - long_ago):
        queue.note_process("worker", "gone", "1", now - timedelta(seconds=long_ago))
    queue.note_process("worker", "alive", "1", now)
    assert [each.name for each in queue.processes(now)] == ["alive"]
    assert set(map(frozenset, noted().values())) == {frozenset({"worker alive"})}


def test_who_has_a_slow_clock_is_known_and_told_of() -> None:
    now = timezone.now()
    queue.note_process("clock", "slow", "1", now - timedelta(hours=2))
    assert queue.processes(now) == []
    offsets = signs_of_life.clock_offsets(queue.redis(), within=60)
    assert -7260 < offsets["clock slow"] < -7140


def test_a_process_of_an_older_release_is_forgotten_by_its_own_clock_only() -> None:
    """It notes no moment of Redis."""
    now = timezone.now()
    for name, seconds in ("gone", KEPT_SECONDS + 60), ("alive", 5):
        moment = now.timestamp() - seconds
        queue.redis().hset("centerhook:processes", f"worker {name}", f"{moment} 0.0.1")
    assert [each.name for each in queue.processes(now)] == ["alive"]
    assert noted()["centerhook:processes"] == {"worker alive"}
