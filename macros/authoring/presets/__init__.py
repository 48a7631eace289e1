"""Presets: web requests to well-known systems, each a file of data in this folder.

docs/presets.md says how a file is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from .definition import Preset, SecretNeed, Setting, VendorRate
from .filling import check_setting, fill, host_of, hosts_for, placeholders

__all__ = [
    "GROUPS",
    "Preset",
    "SecretNeed",
    "Setting",
    "VendorRate",
    "all_presets",
    "check_setting",
    "fill",
    "host_of",
    "hosts_for",
    "placeholders",
    "published_rate",
]

FOLDER = Path(__file__).parent
# Their order in the menu.
GROUPS = ("Chat", "Issues", "Support", "Testers", "Automation", "Any system")


@cache
def all_presets() -> Mapping[str, Preset]:
    """Every preset by its id, in the order of the menu."""
    presets = [_read(path) for path in FOLDER.glob("*.yaml")]
    presets.sort(key=lambda each: (GROUPS.index(each.group), each.vendor, each.title))
    return MappingProxyType({each.id: each for each in presets})


def published_rate(origin: str) -> VendorRate | None:
    """How many requests the vendor of an origin takes, if a preset says so.

    A worker asks, which keeps no presets: only files that name the domain are read.
    """
    host = urlsplit(origin).hostname or ""
    domain = ".".join(host.split(".")[-2:])
    for path in sorted(FOLDER.glob("*.yaml")):
        if domain in path.read_text("utf-8"):
            rate = _read(path).rate
            if rate is not None and rate.holds_for(host):
                return rate
    return None


def _read(path: Path) -> Preset:
    import yaml

    return Preset.from_data(path.stem, yaml.safe_load(path.read_text("utf-8")))
