"""What changed from one version of a macro to another, for people to read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from ..models import Macro, kind_named
from .matching import LineMatcher
from .members import settings_of

# Lines of a text that stayed the same and are shown around those that did not.
_AROUND = 2
# The lines of two documents that are compared: nobody reads on, and a page can't hold
# many more.
MAX_LINES = 4_000

_Settings = Mapping[str, Any]
_Lines = list[str]
# What differs: its title, and its lines before and after.
_Changed = tuple[str, _Lines, _Lines]


@dataclass(frozen=True, slots=True)
class Line:
    """`sign` is "+", "-", " " or, between two pieces, "…"; counted from 1."""

    sign: str
    number: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting or step that differs, with its lines before and after."""

    title: str
    lines: tuple[Line, ...]


def changed(before: _Settings, after: _Settings) -> list[str]:
    """The titles of what differs between two documents of a macro."""
    return [title for title, _, _ in _all_changed(before, after)]


def differences(before: _Settings, after: _Settings) -> list[Difference]:
    """What differs, line by line."""
    listed = []
    left = MAX_LINES
    for title, old, new in _all_changed(before, after):
        length = max(len(old), len(new))
        lines = _compared(old, new) if length <= left else _too_many(old, new)
        left -= length if length <= left else 0
        listed.append(Difference(title, tuple(lines)))
    return listed


def _all_changed(before: _Settings, after: _Settings) -> Iterator[_Changed]:
    own = {name: field.verbose_name for name, field in settings_of(Macro).items()}
    yield from _changed_settings("", before, after, own)
    yield from _changed_steps(before, after)


def _changed_settings(
    prefix: str, before: _Settings, after: _Settings, labels: Mapping[str, object]
) -> Iterator[_Changed]:
    for name in dict.fromkeys([*before, *after]):
        if name in ("steps", "kind"):
            continue
        old, new = _lines(before.get(name)), _lines(after.get(name))
        if old != new:
            label = str(labels.get(name, name.replace("_", " ")))
            title = f"{prefix}{label}"
            yield title[:1].upper() + title[1:], old, new


def _changed_steps(before: _Settings, after: _Settings) -> Iterator[_Changed]:
    """Steps that are alike are paired wherever they stand, the others in order."""
    old, new = before.get("steps", []), after.get("steps", [])
    keys = [[json.dumps(step, sort_keys=True) for step in each] for each in (old, new)]
    for tag, i1, i2, j1, j2 in SequenceMatcher(
        None, keys[0], keys[1], False
    ).get_opcodes():
        if tag == "equal":
            continue
        for offset in range(max(i2 - i1, j2 - j1)):
            was = old[i1 + offset] if i1 + offset < i2 else None
            now = new[j1 + offset] if j1 + offset < j2 else None
            number = j1 + offset + 1 if now is not None else i1 + offset + 1
            yield from _one_step(number, was, now)


def _one_step(
    number: int, was: _Settings | None, now: _Settings | None
) -> Iterator[_Changed]:
    if was and now and was["kind"] != now["kind"]:
        yield from _one_step(number, was, None)
        yield from _one_step(number, None, now)
        return
    step = now or was or {}
    kind = kind_named(step["kind"])
    fields = settings_of(kind) if kind else {}
    labels = {name: field.verbose_name for name, field in fields.items()}
    title = f"Step {number}, {kind.label() if kind else step['kind']}"
    if was is None or now is None:
        yield f"{title}: {'removed' if now is None else 'added'}", [], []
    yield from _changed_settings(f"{title}: ", was or {}, now or {}, labels)


def _lines(value: object) -> _Lines:
    if value is None or value in ("", []):
        return []
    if isinstance(value, bool):
        return ["Yes" if value else "No"]
    if not isinstance(value, str):
        value = json.dumps(value, indent=2, ensure_ascii=False)
    return list(value.splitlines())


def _too_many(old: _Lines, new: _Lines) -> Iterator[Line]:
    yield Line("-", None, f"{len(old):,} lines")
    yield Line("+", None, f"{len(new):,} lines, too many to compare")


def _compared(old: _Lines, new: _Lines) -> Iterator[Line]:
    matcher = LineMatcher(old, new)
    for number, group in enumerate(matcher.get_grouped_opcodes(_AROUND)):
        if number:
            yield Line("…", None, "")
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                yield from (Line(" ", n + 1, new[n]) for n in range(j1, j2))
                continue
            yield from (Line("-", n + 1, old[n]) for n in range(i1, i2))
            yield from (Line("+", n + 1, new[n]) for n in range(j1, j2))
