"""Presets: web requests to well-known systems, each a file of data in this folder.

docs/presets.md says how a file is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import yaml

from .definition import Preset, SecretNeed, Setting
from .filling import check_setting, fill, host_of, hosts_for, placeholders

__all__ = [
    "GROUPS",
    "Preset",
    "SecretNeed",
    "Setting",
    "all_presets",
    "check_setting",
    "fill",
    "host_of",
    "hosts_for",
    "placeholders",
]

FOLDER = Path(__file__).parent
# Their order in the menu.
GROUPS = ("Chat", "Issues", "Support", "Testers", "Automation", "Any system")


@cache
def all_presets() -> Mapping[str, Preset]:
    """Every preset by its id, in the order of the menu."""
    presets = [
        Preset.from_data(path.stem, yaml.safe_load(path.read_text("utf-8")))
        for path in FOLDER.glob("*.yaml")
    ]
    presets.sort(key=lambda each: (GROUPS.index(each.group), each.vendor, each.title))
    return MappingProxyType({each.id: each for each in presets})
