"""The documentation as a site: `make docs`. The pages read as well where they are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

project = "CenterHook"
author = "The CenterHook team"
release = version = re.findall(
    r'__version__ = "(.+)"', (ROOT / "centerhook/__init__.py").read_text()
)[0]
extensions = ["myst_parser"]
myst_enable_extensions = ["deflist"]
# Headings that other pages point at.
myst_heading_anchors = 4
exclude_patterns = ["openapi.json"]
html_theme = "furo"
html_title = f"CenterHook {version}"
html_favicon = "../centerhook/static/centerhook/favicon.svg"
html_show_sourcelink = False
# Code without a language is shown as it is.
highlight_language = "none"
nitpicky = True


def outside(app: Any, page: str, source: list[str]) -> None:
    """Files that are no pages are named, and drawings shown as what they are made of:
    the site has neither the files nor the script that draws."""
    source[0] = re.sub(r"\[([^\]]+)\]\(\.\./([^)]+)\)", r"\1 (`\2`)", source[0])
    source[0] = source[0].replace("```mermaid", "```text")


def setup(app: Any) -> None:
    app.connect("source-read", outside)
