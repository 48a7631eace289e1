"""The rows of a web request's return values: what may be written there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypedDict

from feedback.texts import storable

from .patterns import Pattern, compile_pattern
from .values import ValueType

if TYPE_CHECKING:
    from jsonpath import JSONPath

MAX_ROWS = 30
MAX_NAME = 60
MAX_EXPRESSION = 500

# A token of RFC 9110, section 5.6.2.
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}").fullmatch
_NAME = re.compile(r"[^\W\d_]\w*").fullmatch


class Source(StrEnum):
    """The part of a response that a value is read from."""

    JSON = "json"
    HEADER = "header"
    STATUS = "status"
    TEXT = "text"


class When(StrEnum):
    """After which responses a value is stored; a success is a status of 2xx."""

    SUCCESS = "success"
    ALWAYS = "always"


class Row(TypedDict):
    """A return value as it is stored with its web request."""

    name: str
    source: str
    expression: str
    type: str
    when: str
    required: bool


@dataclass(frozen=True, slots=True)
class ReturnValue:
    """One row, compiled: `expression` as a JSONPath or a regular expression."""

    name: str
    source: Source
    expression: str
    type: ValueType
    when: When
    required: bool
    compiled: JSONPath | Pattern | None = None

    @property
    def origin(self) -> str:
        """Where the value comes from, in words."""
        return {
            Source.JSON: f"body {self.expression}",
            Source.HEADER: f"header {self.expression}",
            Source.STATUS: "status",
            Source.TEXT: f"text {self.expression}",
        }[self.source]


def _compile_path(text: str) -> JSONPath:
    # With its grammar, a tenth of what a worker loads: only for who has a path.
    from .paths import compile_path

    return compile_path(text)


_COMPILERS: dict[Source, Callable[[str], JSONPath | Pattern]] = {
    Source.JSON: _compile_path,
    Source.TEXT: compile_pattern,
}
# The values that these members may have.
_CHOICES: dict[str, type[StrEnum]] = {
    "source": Source,
    "type": ValueType,
    "when": When,
}


def compile_rows(rows: Iterable[Mapping[str, Any]]) -> tuple[ReturnValue, ...]:
    """Compiles rows that were checked when they were saved. Raises ValueError."""
    return tuple(_compiled(row) for row in rows)


def check(
    rows: object, normalise: Callable[[str], str], reserved: Iterable[str]
) -> tuple[list[Row], list[str]]:
    """The rows as they are stored, and a sentence on each fault, with row and member.

    `normalise` makes a name canonical; `reserved` are names that nobody may use.
    """
    if not isinstance(rows, list):
        return [], ["Give a list of return values."]
    kept = [row for row in rows if not is_blank(row)]
    problems = []
    if len(kept) > MAX_ROWS:
        problems.append(f"There can be {MAX_ROWS} return values, not {len(kept)}.")
    clean = []
    names: set[str] = set()
    for number, row in enumerate(kept[:MAX_ROWS], start=1):
        if not isinstance(row, Mapping):
            problems.append(f"Row {number}: give name, source, type and the rest.")
            continue
        stored = _row(row, normalise)
        for member, fault in _faults(row, stored, names, frozenset(reserved)):
            problems.append(f"Row {number}, {member}: {fault}")
        names.add(stored["name"])
        clean.append(stored)
    return clean, problems


def is_blank(row: object) -> bool:
    """Whether the row has neither a name nor a path."""
    if not isinstance(row, Mapping):
        return False
    return not any(str(row.get(member) or "").strip() for member in _WRITTEN)


_WRITTEN = ("name", "expression")


def _row(row: Mapping[str, Any], normalise: Callable[[str], str]) -> Row:
    def text(member: str, default: str = "") -> str:
        value = row.get(member, default)
        return storable(value).strip() if isinstance(value, str) else ""

    source = text("source", Source.JSON)
    return Row(
        name=normalise(text("name")),
        source=source,
        expression="" if source == Source.STATUS else text("expression"),
        type=text("type", ValueType.TEXT),
        when=text("when", When.SUCCESS),
        required=row.get("required") is True,
    )


def _faults(
    given: Mapping[str, Any], row: Row, names: set[str], reserved: frozenset[str]
) -> Iterator[tuple[str, str]]:
    for member in sorted(map(str, given.keys() - Row.__annotations__.keys())):
        yield member, "There is no such member."
    if not isinstance(given.get("required", False), bool):
        yield "required", "Say true or false."
    if fault := _name_fault(row["name"], names, reserved):
        yield "name", fault
    for member, choices in _CHOICES.items():
        value = row[member]  # type: ignore[literal-required]
        if value not in set(choices):
            yield member, f"Choose {_listed(choices)}, not '{value}'."
    if fault := _expression_fault(row):
        yield "path", fault


def _name_fault(name: str, names: set[str], reserved: frozenset[str]) -> str:
    if not name:
        return "Give a name for the value, such as jira_key."
    if len(name) > MAX_NAME:
        return f"A name has at most {MAX_NAME} characters."
    if not _NAME(name):
        return "Begin with a letter; use letters, digits, spaces, hyphens, underscores."
    if name in reserved:
        return f"'{name}' is reserved. Choose another."
    return f"'{name}' is given twice." if name in names else ""


def _expression_fault(row: Row) -> str:
    source, expression = row["source"], row["expression"]
    if source == Source.STATUS or source not in set(Source):
        return ""
    if not expression:
        return "Say where in the response the value is."
    if len(expression) > MAX_EXPRESSION:
        return f"It has at most {MAX_EXPRESSION} characters."
    if source == Source.HEADER:
        if not _HEADER_NAME(expression):
            return f"'{expression}' is not the name of a header."
        return ""
    try:
        _COMPILERS[Source(source)](expression)
    except ValueError as error:
        return str(error)
    return ""


def _listed(choices: type[StrEnum]) -> str:
    values = [str(each) for each in choices]
    return f"{', '.join(values[:-1])} or {values[-1]}"


def _compiled(row: Mapping[str, Any]) -> ReturnValue:
    source = Source(row["source"])
    build = _COMPILERS.get(source)
    return ReturnValue(
        name=row["name"],
        source=source,
        expression=row["expression"],
        type=ValueType(row["type"]),
        when=When(row["when"]),
        required=row["required"],
        compiled=build(row["expression"]) if build else None,
    )
