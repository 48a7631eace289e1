"""Delivering: claim, build, send, record."""

from .work import close, is_stopping, stop, work

__all__ = ["close", "is_stopping", "stop", "work"]
