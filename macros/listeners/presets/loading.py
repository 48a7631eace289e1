from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import yaml

from .definition import ListenerPreset

FOLDER = Path(__file__).parent / "data"


@cache
def all_presets() -> Mapping[str, ListenerPreset]:
    """Every preset by the name of its folder, in the order of the page."""
    presets = [
        ListenerPreset.from_data(
            path.parent.name, yaml.safe_load(path.read_text("utf-8"))
        )
        for path in FOLDER.glob("*/preset.yaml")
    ]
    presets.sort(key=lambda each: (each.is_for_any, each.vendor, each.title))
    return MappingProxyType({each.id: each for each in presets})
