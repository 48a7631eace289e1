"""What an answer gives back: its return values, and a sentence on what it lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from logs.recording import Captured

from ..extraction import ExtractionError, Reading, ReturnValue, When


@dataclass
class Capture:
    """`problems` are sentences. If `missing`, the delivery fails and stores nothing."""

    values: list[Captured] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    missing: bool = False


def captures_of(returns: Sequence[ReturnValue], reading: Reading) -> Capture:
    """What would be stored of an answer. Writes nothing."""
    accepted = 200 <= reading.status <= 299
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
            found = Captured(wanted.name, value, wanted.origin, needed)
            capture.values.append(found)
    _say(capture, faults, reading)
    return capture


def _say(
    capture: Capture, faults: dict[tuple[bool, str], list[str]], reading: Reading
) -> None:
    for (needed, why), names in faults.items():
        listed = ", ".join(names)
        if needed:
            capture.missing = True
            problem = f"The required {listed} could not be had: {why}."
        else:
            problem = f"Not stored: {listed}, since {why}."
        capture.problems.append(reading.redact(problem))
    if capture.missing:
        capture.values = []
        capture.problems.append(MISSING)


MISSING = (
    "So the delivery has failed, and nothing of the answer is stored. The system has"
    " acted on the request, which is not sent again by itself."
)
