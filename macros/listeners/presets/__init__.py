"""Listeners for well-known senders, each a folder of data in `data`.

docs/presets.md says how one is written. A service has no code of its own.
"""

from __future__ import annotations

from .definition import Asked, ListenerPreset, NeededSecret
from .loading import FOLDER, all_presets
from .making import ListenerRefused, NewListener, create_listener
from .pairs import (
    SIGNING,
    NewPair,
    Pair,
    PairMade,
    PairRefused,
    all_pairs,
    create_pair,
)

__all__ = [
    "FOLDER",
    "SIGNING",
    "Asked",
    "ListenerPreset",
    "ListenerRefused",
    "NeededSecret",
    "NewListener",
    "NewPair",
    "Pair",
    "PairMade",
    "PairRefused",
    "all_pairs",
    "all_presets",
    "create_listener",
    "create_pair",
]
