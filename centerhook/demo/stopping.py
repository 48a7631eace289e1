"""Ctrl-C and other signals to end, noticed at the next pause.

An exception from the signal handler itself would be lost if it came up inside a
destructor.
"""

from __future__ import annotations

import signal
import time
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# A pause looks this often, in seconds.
STEP = 0.1

_asked = False


class Stopped(Exception):
    """Somebody has asked the demo to end."""


def listen() -> None:
    """From now on a signal is noticed by `pause` and `check`."""
    for number in SIGNALS:
        # A signal that is ignored stays so: nohup keeps the demo past a hang-up.
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _ask)


def pause(seconds: float = STEP) -> None:
    """Sleep. Raises Stopped."""
    end = time.monotonic() + seconds
    while True:
        check()
        left = end - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(STEP, left))


def check() -> None:
    """Raises Stopped."""
    if _asked:
        raise Stopped


def _ask(signum: int, frame: FrameType | None) -> None:
    """A second signal ends this process at once, and with it the children."""
    global _asked
    _asked = True
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
