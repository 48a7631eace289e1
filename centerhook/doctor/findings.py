"""What the doctor finds: docs/doctor.md has a paragraph for each id."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    # Something does not work, or data is in danger.
    BAD = "bad"
    # It works, and will not for long, or is slower than it could be.
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and what to do, as sentences for whoever runs the service."""

    id: str
    severity: Severity
    sentence: str
    advice: str


def bad(name: str, sentence: str, advice: str) -> Finding:
    return Finding(name, Severity.BAD, sentence, advice)


def warning(name: str, sentence: str, advice: str) -> Finding:
    return Finding(name, Severity.WARNING, sentence, advice)
