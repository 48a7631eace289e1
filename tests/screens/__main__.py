"""Starts the demo on a database of its own and photographs its pages.

`python -m tests.screens [part of a name ...]` makes the pages whose names have one of
the parts; without, all. They go to build/screens/, and what the server took for each
page to build/pages.json.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from subprocess import Popen
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests import chromium
from tests.bench import report
from tests.bench.processes import running

OUT = Path(__file__).resolve().parents[2] / "build" / "screens"
WIDTHS = {"wide": 1280, "narrow": 400}
HEIGHT = 800
THEMES = ("light", "dark")
TIMES = OUT.parent / "pages.json"
# What no page of the demo should take, in milliseconds.
GOAL = 300
_SERVER_MS = """() => {
  const [entry] = performance.getEntriesByType("navigation");
  return entry.responseStart - entry.requestStart;
}"""
# The list that opens the README: what is ticked in it.
README_TICKS = 5


def main(parts: list[str]) -> None:
    if chromium.path() is None:
        sys.exit(chromium.MISSING)
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{folder}/demo.sqlite3"
        os.environ["DATABASE_URL"] = database
        with running("manage.py", "demo", env={"DATABASE_URL": database}) as demo:
            login = _printed(demo)
            times = _photograph(login, parts)
    made = len(times) * len(THEMES) * len(WIDTHS)
    print(f"{made} pictures are in {OUT}.")
    _tell(times, is_whole=not parts)


def _tell(times: Mapping[str, list[float]], *, is_whole: bool) -> None:
    """The quickest of each page's visits: the first finds nothing at hand."""
    quickest = {name: round(min(visits), 1) for name, visits in times.items()}
    ranked = dict(sorted(quickest.items(), key=lambda pair: -pair[1]))
    for name, milliseconds in list(ranked.items())[:5]:
        print(f"{milliseconds:8.0f} ms  {name}")
    slow = [name for name, milliseconds in ranked.items() if milliseconds > GOAL]
    print(f"{len(slow)} of {len(ranked)} pages take more than {GOAL} ms.")
    if is_whole:
        TIMES.write_text(json.dumps(ranked, indent=2) + "\n")
        report.write({"page_demo_slowest_ms": max(ranked.values())})
        print(f"Times are in {TIMES}.")


def _printed(demo: Popen[str]) -> dict[str, str]:
    """What the demo prints when it is ready: `Admin`, `Login`, `Password`."""
    login: dict[str, str] = {}
    for line in demo.stdout or ():
        if match := re.match(r"(Admin|Login|Password):\s+(\S+)", line):
            login[match[1]] = match[2]
        if "Password" in login:
            return login
    sys.exit("The demo did not start.")


def _photograph(login: Mapping[str, str], parts: list[str]) -> dict[str, list[float]]:
    """What the server took for each page that was made, by its name."""
    base = login["Admin"].removesuffix("/admin/")
    times: dict[str, list[float]] = {}
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        state = _signed_in(browser, base, login)
        for theme in THEMES:
            context: Any = {"base_url": base, "color_scheme": theme}
            page = browser.new_context(storage_state=state, **context).new_page()
            for name, url in _addresses():
                if not parts or any(part in name for part in parts):
                    _picture(page, name, url, theme, times)
            _readme(page, theme)
            stranger = browser.new_context(**context).new_page()
            for name, url in (("login", "/admin/"), ("missing", "/nothing/")):
                _picture(stranger, name, url, theme, times)
        browser.close()
    return times


def _signed_in(browser: Browser, base: str, login: Mapping[str, str]) -> Any:
    context = browser.new_context(base_url=base)
    page = context.new_page()
    page.goto("/admin/login/")
    page.fill("#id_username", login["Login"])
    page.fill("#id_password", login["Password"])
    page.click("[type=submit]")
    page.wait_for_selector("#menu")
    return context.storage_state()


def _picture(
    page: Page, name: str, url: str, theme: str, times: dict[str, list[float]]
) -> None:
    page.set_viewport_size({"width": WIDTHS["wide"], "height": HEIGHT})
    try:
        response = page.goto(url)
    except Exception:  # A download is no page.
        return
    if response is None or not page.query_selector("#header"):
        return
    times.setdefault(name, []).append(page.evaluate(_SERVER_MS))
    for size, width in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": HEIGHT})
        page.screenshot(path=OUT / f"{name}-{size}-{theme}.png", full_page=True)


def _readme(page: Page, theme: str) -> None:
    page.set_viewport_size({"width": WIDTHS["wide"], "height": HEIGHT})
    page.goto("/admin/feedback/feedback/?type=1&open=true&field_severity=Critical")
    boxes = page.locator(".action-select")
    for number in range(min(README_TICKS, boxes.count())):
        boxes.nth(number).check()
    page.screenshot(path=OUT / f"readme-{theme}.png")


def _addresses() -> Iterator[tuple[str, str]]:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "centerhook.settings")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    django.setup()
    from feedback.models import FeedbackType
    from tests.walk.addresses import candidates
    from tests.walk.world import model_of

    def first(label: str) -> Any:
        return model_of(label)._default_manager.order_by("pk").first()

    yield from candidates(first, FeedbackType.objects.order_by("pk")[0]).items()


if __name__ == "__main__":
    main(sys.argv[1:])
