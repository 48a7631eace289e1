"""Delivering: claim, build, send, record."""

from __future__ import annotations

import gc

from .claims import MIN_LEASE
from .engine import Engine

__all__ = ["MIN_LEASE", "Engine", "deliver", "start", "work"]

_engine: Engine | None = None


def start() -> Engine:
    """Start this process's engine, which works on what `deliver` is called for."""
    global _engine
    # What is loaded stays, and is more than a full collection should go through.
    gc.collect()
    gc.freeze()
    _engine = Engine()
    _engine.start()
    return _engine


def deliver(run_id: int) -> None:
    """Have a run worked on: by this process's engine, or else here and now."""
    if _engine is None:
        work(run_id)
    else:
        _engine.notify(run_id)


def work(run_id: int) -> None:
    """Deliver what is due of a run and return when nothing is.

    Safe to call at any time, twice or in parallel: whoever claims a delivery sends it.
    """
    engine = Engine()
    try:
        engine.drain(run_id)
    finally:
        engine.close()
