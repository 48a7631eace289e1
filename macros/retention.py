"""All that goes by age, in the order in which it goes."""

from __future__ import annotations

from logs.retention import OF_THE_LOG, Tier

from .listeners.pruning import Calls, Refusals

TIERS: tuple[Tier, ...] = (*OF_THE_LOG, Calls(), Refusals())
