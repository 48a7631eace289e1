from __future__ import annotations

from typing import Any


def without_switches(document: Any) -> Any:
    """What a file says, but for what is on and which project it is from."""
    if isinstance(document, list):
        return [without_switches(each) for each in document]
    if isinstance(document, dict):
        left = {name: without_switches(each) for name, each in document.items()}
        return {k: v for k, v in left.items() if k not in ("is_active", "project")}
    return document
