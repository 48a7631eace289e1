"""Pages of the admin over 1,000,000 tickets and 10,000,000 deliveries."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from . import engine, log_rows, rows
from .ground import Ground, say
from .report import Figure, Row

if TYPE_CHECKING:
    from django.test import Client

    from feedback.models import FeedbackType

_TIMES = 3
_MACROS, _RUNS = 3, 20
# A page of each kind; the slowest of a kind is its figure.
_LIST, _SEARCH, _COUNTS, _ANY, _LOG, _OVERVIEW, _SCRAPE = KEYS = (
    "page_list_1m_ms",
    "page_search_1m_ms",
    "page_counts_1m_ms",
    "page_any_1m_ms",
    "page_log_10m_ms",
    "page_overview_10m_ms",
    "metrics_scrape_ms",
)
_MENU = "page_menu_1m_ms"
ROWS: tuple[Row, ...] = (
    ("The list of a type, slowest", _LIST, "ms"),
    ("A search in it, slowest", _SEARCH, "ms"),
    ("Show counts on it, slowest", _COUNTS, "ms"),
    ("Any other page", _ANY, "ms"),
    ("The menu's part of each page", _MENU, "ms"),
    ("The webhook log, slowest", _LOG, "ms"),
    ("The overview, and figures of one macro, slowest", _OVERVIEW, "ms"),
    ("A scrape of /metrics", _SCRAPE, "ms"),
)


def run(ground: Ground, tickets: int) -> dict[str, Figure]:
    of = rows.seed(tickets)
    macros = [engine.macro(of, f"{ground.receiver.url}/ok") for _ in range(_MACROS)]
    runs = log_rows.fill(macros, 10 * tickets, _RUNS)
    log_rows.fill_figures(macros)
    return measured(of, runs)


def measured(of: FeedbackType, runs: list[int]) -> dict[str, Figure]:
    from django.test import Client

    from tests import factories

    browser = Client(headers={"host": "localhost"})
    browser.force_login(factories.superuser(__name__.rpartition(".")[2]))
    figures: dict[str, Figure] = {_MENU: _menu_ms()}
    slowest: dict[str, float] = {}
    for key, url in _pages(of, runs):
        milliseconds = _median_ms(browser, url)
        say(f"{milliseconds:8.0f} ms  {url}")
        slowest[key] = max(slowest.get(key, 0), milliseconds)
    return figures | slowest


def _pages(of: FeedbackType, runs: list[int]) -> Iterator[tuple[str, str]]:
    from django.urls import reverse

    tickets = reverse("admin:feedback_feedback_changelist")
    log = reverse("admin:logs_delivery_changelist")

    def of_type(**query: str) -> str:
        return f"{tickets}?{urlencode({'type': str(of.pk), **query})}"

    yield _ANY, reverse("admin:macros_macro_changelist")
    macro = reverse("admin:macro_figures", args=[of.macros.earliest("pk").pk])
    for page in (reverse("admin:index"), macro):
        for period in ("24h", "7d", "30d"):
            yield _OVERVIEW, f"{page}?period={period}"
    for query in (
        {},
        {"open": "true"},
        {"field_severity": "Critical"},
        {"external_jira_key": "NW-4000"},
        *({"p": page} for page in _deep(of.last_number)),
    ):
        yield _LIST, of_type(**query)
    for words in ("site", "BUG-777", "tester55@", "site 900", "nowhere"):
        yield _SEARCH, of_type(search=words)
    yield _COUNTS, of_type(_facets="True")
    yield _COUNTS, of_type(_facets="True", open="true")
    old = str(runs[len(runs) // 2])
    for query in (
        {},
        {"state__exact": "failed"},
        {"last_error": "tls"},
        {"run": old},
        {"run": old, "state__exact": "failed"},
        {"feedback": "777"},
        {"q": "BUG-777"},
        {"p": "last"},
        {"run": old, "p": "last"},
    ):
        yield _LOG, f"{log}?{urlencode(query)}"
    yield _SCRAPE, "/metrics"


def _deep(tickets: int) -> list[str]:
    """A list that is counted to its end has numbered pages alone."""
    from feedback.admin.tickets import FeedbackAdmin
    from feedback.console.paging import MAX_LISTED

    if tickets <= MAX_LISTED:
        return [str(max(1, tickets // FeedbackAdmin.list_per_page))]
    return ["100", f"before-{tickets // 2}", "last"]


def _median_ms(browser: Client, url: str) -> float:
    seconds = []
    for _ in range(_TIMES):
        begun = time.monotonic()
        response = browser.get(url)
        seconds.append(time.monotonic() - begun)
        if response.status_code != 200:
            raise RuntimeError(f"{url} gave the status {response.status_code}.")
    return median(seconds) * 1e3


def _menu_ms() -> float:
    """The one query of the menu that looks at tickets."""
    from feedback.console.counting import open_counts
    from feedback.models import FeedbackType

    seconds = []
    for _ in range(_TIMES):
        begun = time.monotonic()
        open_counts(FeedbackType.objects.all())
        seconds.append(time.monotonic() - begun)
    return median(seconds) * 1e3
