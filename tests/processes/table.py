"""Ends a run with what became of the deliveries in tests that break things.

A plugin (`-p tests.processes.table`), since with parallel processes the one that
prints loads no conftest of this folder. Imports nothing of ours that needs settings.
"""

from __future__ import annotations

import pytest

PREFIX = "account_"
COLUMNS = ("runs", "deliveries", "blows", "repeats", "unknown", "lost")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    accounts = {}
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            numbers = {
                name.removeprefix(PREFIX): value
                for name, value in report.user_properties
                if name.startswith(PREFIX)
            }
            if numbers and report.when == "call":
                accounts[report.nodeid.partition("::")[2]] = numbers
    if accounts:
        terminalreporter.section("deliveries, counted at the receiver")
        for line in _lines(accounts):
            terminalreporter.write_line(line)


def _lines(accounts: dict[str, dict[str, int]]) -> list[str]:
    width = max(map(len, accounts))
    total = {name: sum(row[name] for row in accounts.values()) for name in COLUMNS}
    head = " ".join(["test".ljust(width), *(name.rjust(10) for name in COLUMNS)])
    return [head, *(_line(*row, width) for row in [*accounts.items(), ("all", total)])]


def _line(test: str, numbers: dict[str, int], width: int) -> str:
    return " ".join([test.ljust(width), *(f"{numbers[name]:>10}" for name in COLUMNS)])
