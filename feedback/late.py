"""Modules that are loaded when something of them is first asked for.

A worker that only delivers never uses most of what is connected at its start.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


class LateModule:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self._name), name)
