"""Work in steps of the interpreter: a clock on a busy machine proves nothing."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def steps_of(act: Callable[[], Any]) -> int:
    counted = 0

    def count(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal counted
        counted += 1
        return count

    before = sys.gettrace()
    # What the collector ends of earlier tests is no step of this one.
    gc.disable()
    sys.settrace(count)
    try:
        act()
    finally:
        sys.settrace(before)
        gc.enable()
    return counted
