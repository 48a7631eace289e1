from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from centerhook.doctor import Report, Severity, examine

# For scripts: all is well, something warns, something is bad.
WELL, WARNS, BAD = 0, 1, 2


class Command(BaseCommand):
    help = (
        "Look at this installation: what is wrong, and what to do. Exits with 0 if all"
        " is well, 1 if there are warnings, 2 if something is bad."
    )
    # The findings say it themselves.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="For programs.")

    def handle(self, *args: Any, **options: Any) -> None:
        report = examine()
        if options["json"]:
            self.stdout.write(_as_json(report))
        else:
            self._write(report)
        sys.exit(exit_code(report))

    def _write(self, report: Report) -> None:
        for title, findings in report.findings.items():
            state = "well" if not findings else ""
            self.stdout.write(f"{title}: {state}".rstrip())
            for each in findings:
                is_bad = each.severity == Severity.BAD
                style = self.style.ERROR if is_bad else self.style.WARNING
                self.stdout.write(style(f"  {each.severity.upper()} {each.id}"))
                self.stdout.write(f"    {each.sentence}\n    {each.advice}")
        for name in report.unexamined:
            self.stdout.write(self.style.ERROR(f"Could not look at {name}."))
        self.stdout.write("docs/doctor.md explains each.")


def exit_code(report: Report) -> int:
    if report.is_bad:
        return BAD
    return WARNS if report.every else WELL


def _as_json(report: Report) -> str:
    every = [
        {"about": title, **asdict(each)}
        for title, findings in report.findings.items()
        for each in findings
    ]
    body = {"findings": every, "unexamined": report.unexamined}
    return json.dumps(body, indent=2)
