"""What a response gives back: its return values, and a sentence on what it lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from feedback.texts import storable
from logs.models import ErrorClass
from logs.recording import Captured

from ..extraction import ExtractionError, Reading, ReturnValue, When


@dataclass
class Capture:
    """`problems` are sentences, `missing` the names of required values.

    `stops_at` is the first later step that can't do without one of those.
    """

    values: list[Captured] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    stops_at: int | None = None


def captures_of(returns: Sequence[ReturnValue], reading: Reading) -> Capture:
    """What would be stored of a response. Writes nothing."""
    accepted = not ErrorClass.of_status(reading.status)
    capture = Capture()
    # Names by what became of them, since many often share one fault.
    faults: dict[tuple[bool, str], list[str]] = {}
    for wanted in returns:
        if not accepted and wanted.when != When.ALWAYS:
            continue
        needed = wanted.required and accepted
        try:
            value = reading.take(wanted)
            if value is None:
                raise ExtractionError("matches nothing")
        except ExtractionError as why:
            fault = f"{wanted.origin} {why}"
            faults.setdefault((needed, fault), []).append(wanted.name)
        else:
            captured = Captured(wanted.name, value, wanted.origin, needed)
            capture.values.append(captured)
    _say(capture, faults, reading)
    return capture


def _say(
    capture: Capture, faults: dict[tuple[bool, str], list[str]], reading: Reading
) -> None:
    for (needed, why), names in faults.items():
        listed = ", ".join(names)
        if needed:
            capture.missing += names
            problem = f"The required {listed} is missing: {why}."
        else:
            problem = f"Not stored: {listed}, since {why}."
        # It may quote what JSON writes as an escape and no store takes.
        capture.problems.append(reading.redact(storable(problem)))
