"""External data as other programs give it: which names and values are kept.

A name is stored as names are compared, `Jira key` as `jira_key`, so that tags and
conditions find it under each spelling.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils import timezone

from ..models.numbers import ExactEncoder
from ..names import normalise
from ..selection.external import NAMES, is_name
from ..units.facts import same
from .faults import Faults, Path

# Characters of a text, and elements of a list.
MAX_TEXT = 4_000
MAX_ITEMS = 100
# Bytes of one ticket's or tester's external data, as JSON.
MAX_DATA = 65_536

COLUMNS = ("external_data", "external_provenance")
Data = dict[str, object]
# Where a value stands, its name as it is written, and itself.
Value = tuple[Path, str, object]


def read_external(given: object, faults: Faults, member: str) -> Data:
    """The values by the names they are stored under; null takes a value away."""
    return read_values(members_of(given, faults, member), faults)


def members_of(given: object, faults: Faults, member: str) -> list[Value]:
    """Those of an object that stands under a member."""
    if given is None:
        return []
    if not isinstance(given, dict):
        faults.add([member], 'Give an object: {"jira_key": "ABC-1"}.')
        return []
    return [((member, name), name, value) for name, value in given.items()]


def read_values(values: Iterable[Value], faults: Faults) -> Data:
    data: Data = {}
    for path, name, value in values:
        stored = normalise(name)
        if not (is_name(name) and is_name(stored)):
            faults.add(path, NAMES)
        elif stored in data:
            faults.add(path, f"'{stored}' is given twice.")
        else:
            data[stored] = value
            if problem := _problem(value):
                faults.add(path, problem)
    return data


def columns_with(
    present: Mapping[str, Any], given: Data, source: str, faults: Faults, member: str
) -> dict[str, Data]:
    """The two columns with what is given; empty where it is there already.

    `source` says what set a value; what is not named stays.
    """
    data, origins = (dict(present.get(name) or {}) for name in COLUMNS)
    before = size_of(data) if given else 0
    origin = {"at": timezone.now().isoformat(), "source": source}
    differing = {
        name: value
        for name, value in given.items()
        if not same(data.get(name), _as_stored(value))
    }
    for name, value in differing.items():
        if value is None:
            data.pop(name, None)
            origins.pop(name, None)
        else:
            data[name] = value
            origins[name] = origin
    if differing and before < size_of(data) > MAX_DATA:
        message = f"The external data would be longer than {MAX_DATA:,} bytes."
        faults.add([member], message)
    return dict(zip(COLUMNS, (data, origins), strict=True)) if differing else {}


def _as_stored(value: object) -> object:
    """A number without a fraction is stored as a whole one, 1.0 as 1."""
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return [_as_stored(each) for each in value] if isinstance(value, list) else value


def size_of(data: Mapping[str, object]) -> int:
    text = json.dumps(data, cls=ExactEncoder, ensure_ascii=False)
    return len(text.encode("utf-8", "replace"))


def _problem(value: object) -> str:
    if isinstance(value, list):
        if len(value) > MAX_ITEMS:
            return f"Give at most {MAX_ITEMS} elements."
        if any(isinstance(each, list) for each in value):
            return "Give a list of texts and numbers, without lists in it."
        return next(filter(None, map(_problem, value)), "")
    if isinstance(value, str):
        too_long = len(value) > MAX_TEXT
        return f"Give at most {MAX_TEXT:,} characters." if too_long else ""
    if value is None or isinstance(value, bool | int | Decimal):
        return ""
    return "Give a text, a number, true, false, null or a list of them."
