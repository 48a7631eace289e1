"""Who signed a call: pure functions over its headers and its raw bytes.

Each takes the headers (lower-case names), the body, the secrets that may have signed
it and the present moment, and returns a `Problem`, or None where the call is right. A
scheme is data: see `schemes`. Nothing a caller sends makes one raise.
"""

from __future__ import annotations

from .problems import Headers, Problem, Reason, Verify
from .schemes import SCHEMES, verifier
from .timed import WINDOW

__all__ = [
    "SCHEMES",
    "WINDOW",
    "Headers",
    "Problem",
    "Reason",
    "Verify",
    "verifier",
]
