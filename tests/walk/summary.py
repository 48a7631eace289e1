"""Ends a run with how many requests the walk through all pages and roles made.

A plugin (`-p tests.walk.summary`), as tests.processes.table is one.
"""

from __future__ import annotations

from collections import Counter

import pytest

PREFIX = "walk_"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts: Counter[str] = Counter()
    # What passed in a test's teardown, where the count is complete, has no name.
    for report in terminalreporter.getreports(""):
        for name, value in getattr(report, "user_properties", ()):
            if name.startswith(PREFIX) and report.when == "teardown":
                counts[name.removeprefix(PREFIX)] += value
    if counts:
        terminalreporter.section("the walk as every role")
        parts = (f"{count:,} {name}" for name, count in sorted(counts.items()))
        terminalreporter.write_line(", ".join(parts))
