"""The browser of tests and pictures: Debian's Chromium, without its windows.

`chromium-headless-shell` is the same engine at half the work: `chromium --headless`
draws a whole window, itself made of pages, around every page that a test opens.
"""

from __future__ import annotations

import shutil

from playwright.sync_api import Browser, Playwright

NAMES = ("chromium-headless-shell", "chromium")
MISSING = f"Chromium is not installed: apt-get install {NAMES[0]}."

# As root there is no sandbox; the rest keeps Chromium from calling home.
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def path() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=path(), args=_ARGUMENTS)
