"""All examinations in their order, and what to do where one can't be made."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import Error, connection
from django.utils import timezone
from redis.exceptions import RedisError

from . import (
    database,
    keys,
    machine,
    modes,
    processes,
    sentinels,
    settings,
    tables,
    work,
)
from .findings import Finding, Severity, bad

logger = logging.getLogger(__name__)

Examination = Callable[[datetime], Iterable[Finding]]

# The examinations, by what they are about. First comes what others need.
EXAMINATIONS: dict[str, tuple[Examination, ...]] = {
    "Settings": (settings.checks, settings.tls),
    "Database": (
        database.migrations,
        database.writable,
        tables.whole,
        database.version,
        database.encoding,
        database.indexes,
        database.vacuum,
        database.clock,
    ),
    "Installation": (modes.mode_now, modes.whose),
    "Redis": (processes.redis, sentinels.sentinels),
    "Processes": (
        processes.workers,
        processes.clocks,
        processes.clocks_of_machines,
        processes.newer_runs,
    ),
    "Work": (work.deliveries, work.calls, work.schedules, work.runs, work.retention),
    "Secrets and keys": (keys.secrets, keys.api_keys),
    "Machine": (machine.disk, machine.mail, machine.certificate),
}


@dataclass(slots=True)
class Report:
    """Findings by what they are about, and what could not be looked at."""

    findings: dict[str, list[Finding]] = field(default_factory=dict)
    unexamined: list[str] = field(default_factory=list)

    @property
    def every(self) -> list[Finding]:
        return [each for findings in self.findings.values() for each in findings]

    @property
    def is_bad(self) -> bool:
        return bool(self.unexamined) or any(
            each.severity == Severity.BAD for each in self.every
        )


def examine() -> Report:
    """Look at everything. Reads, but for one row that it takes back; takes seconds."""
    now, report = timezone.now(), Report()
    report.findings["Database"] = list(_reachable())
    is_away = bool(report.findings["Database"])
    for title, examinations in EXAMINATIONS.items():
        findings = report.findings.setdefault(title, [])
        for each in examinations:
            if is_away and title not in ("Settings", "Redis", "Machine"):
                report.unexamined.append(f"{title}: {each.__name__.replace('_', ' ')}")
                continue
            findings += _made(each, title, now, report)
    return report


def _reachable() -> Iterable[Finding]:
    try:
        connection.ensure_connection()
    except Error as error:
        yield bad(
            "database_away",
            f"The database does not respond: {str(error).splitlines()[0]}",
            "Start it, or set DATABASE_URL to where it is. Nothing works without it;"
            " what was stored is not lost.",
        )


def _made(
    examination: Examination, title: str, now: datetime, report: Report
) -> list[Finding]:
    try:
        return list(examination(now))
    except (Error, RedisError, OSError) as error:
        logger.warning("The doctor could not look at %s: %s", title, error)
        name = examination.__name__.replace("_", " ")
        report.unexamined.append(f"{title}: {name}")
        return []
