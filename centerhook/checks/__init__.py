"""System checks of settings: each with an id, a sentence and a hint."""

from . import exposure, limits

__all__ = ["exposure", "limits"]
