"""The responses by which a destination says that requests come too fast.

One condition per line:

    420
    403 header x-ratelimit-remaining: 0
    400 body RATELIMITED
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

MAX_CONDITIONS = 10
MAX_CONDITION = 200

_STATUS = re.compile(r"[2-5][0-9]{2}").fullmatch
# A token of RFC 9110, section 5.6.2.
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}").fullmatch
_EXAMPLES = (
    "Write 403 header x-ratelimit-remaining: 0, or 400 body RATELIMITED, or a status"
    " alone."
)


@dataclass(frozen=True, slots=True)
class WaitCondition:
    """A status, and what a header is or the body holds besides; empty: anything.

    The header's name and value are in small letters.
    """

    line: str
    status: int
    header: str = ""
    value: str = ""
    text: str = ""

    def matches(self, status: int, headers: Mapping[str, str], body: str) -> bool:
        """`headers` by their names in small letters."""
        if status != self.status:
            return False
        if self.header:
            return headers.get(self.header, "").strip().lower() == self.value
        return self.text in body


def first_match(
    conditions: Iterable[WaitCondition],
    status: int,
    headers: Mapping[str, str],
    body: str,
) -> WaitCondition | None:
    matches = (each for each in conditions if each.matches(status, headers, body))
    return next(matches, None)


def compile_conditions(text: str) -> tuple[WaitCondition, ...]:
    """Conditions that were checked when they were saved. Raises ValueError."""
    return tuple(_condition(line) for _, line in _lines(text))


def check_conditions(text: str) -> list[str]:
    """A sentence on each fault, with its line."""
    problems = []
    lines = list(_lines(text))
    if len(lines) > MAX_CONDITIONS:
        problems.append(
            f"There can be {MAX_CONDITIONS} conditions, not {len(lines)}. Keep those"
            " that the system's manual names."
        )
    for number, line in lines[:MAX_CONDITIONS]:
        try:
            _condition(line)
        except ValueError as error:
            problems.append(f"Line {number}: {error}")
    return problems


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield number, line.strip()


def _condition(line: str) -> WaitCondition:
    if len(line) > MAX_CONDITION:
        raise ValueError(f"A condition has at most {MAX_CONDITION} characters.")
    status, kind, sought = [*line.split(None, 2), "", ""][:3]
    kind = kind.lower()
    if not _STATUS(status):
        raise ValueError(f"It begins with no status from 200 to 599. {_EXAMPLES}")
    if not kind:
        if status.startswith("2"):
            raise ValueError(
                f"Every response of {status} would count as too fast. Add what its"
                f" body holds: {status} body RATELIMITED."
            )
        return WaitCondition(line, int(status))
    if kind == "body" and sought:
        return WaitCondition(line, int(status), text=sought)
    name, _, value = sought.partition(":")
    name, value = name.strip().lower(), value.strip().lower()
    if kind == "header" and _HEADER_NAME(name) and value:
        return WaitCondition(line, int(status), name, value)
    raise ValueError(f"What follows the status can't be read. {_EXAMPLES}")
