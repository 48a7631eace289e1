"""Wrong or unsafe settings, each with an id, a sentence and what to do about it."""

from . import exposure, limits

__all__ = ["exposure", "limits"]
