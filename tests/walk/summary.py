"""Ends a run with how many requests the walk through all pages and roles made.

A plugin (`-p tests.walk.summary`), as tests.processes.table is one.
"""

from __future__ import annotations

from collections import Counter

import pytest

PREFIX = "walk_"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    found: Counter[str] = Counter()
    # What passed in a test's teardown, where the count is complete, has no name.
    for report in terminalreporter.getreports(""):
        for name, value in getattr(report, "user_properties", ()):
            if name.startswith(PREFIX) and report.when == "teardown":
                found[name.removeprefix(PREFIX)] += value
    if found:
        terminalreporter.section("the walk as every role")
        parts = (f"{count:,} {name}" for name, count in sorted(found.items()))
        terminalreporter.write_line(", ".join(parts))
