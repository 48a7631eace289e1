"""What is stored of one person: given out, and erased."""

from __future__ import annotations

from .erasure import ErasureUnfinished, erase_tester, find_tester
from .exports import export_tester
from .footprint import OUT_OF_REACH, Copy, Footprint, footprint

__all__ = [
    "OUT_OF_REACH",
    "Copy",
    "ErasureUnfinished",
    "Footprint",
    "erase_tester",
    "export_tester",
    "find_tester",
    "footprint",
]
