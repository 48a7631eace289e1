"""Header lines as people write them: `Name: value`, one per line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from . import OutputContext, Problem, Scope, Template, TemplateError, compile_template

# The token of RFC 9110, section 5.6.2.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
# What the client writes itself; a second copy would break the request.
RESERVED = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "webhook-id"}
)


def compile_headers(text: str, scope: Scope) -> list[tuple[str, Template]]:
    """Each header's name and the compiled template of its value.

    Raises TemplateError with every problem, its line counted in `text`.
    """
    compiled: list[tuple[str, Template]] = []
    problems: list[Problem] = []
    seen: set[str] = set()
    for line, name, value, offset in _split(text):
        fault = _fault_in_name(name, seen)
        if fault:
            problems.append(Problem(line, 1, fault, None))
            continue
        seen.add(name.lower())
        try:
            compiled.append(
                (name, compile_template(value, OutputContext.HEADER, scope))
            )
        except TemplateError as error:
            problems += [
                Problem(line, each.column + offset, each.message, each.suggestion)
                for each in error.problems
            ]
    if problems:
        raise TemplateError(problems)
    return compiled


def _split(text: str) -> Iterator[tuple[int, str, str, int]]:
    """Line number, name, value, and how far into the line the value begins."""
    for number, line in enumerate(re.split(r"\r\n|\n", text), start=1):
        if not line.strip():
            continue
        name, colon, rest = line.partition(":")
        value = rest.strip(" \t")
        offset = len(line) - len(rest.lstrip(" \t"))
        yield number, name.strip() if colon else "", value, offset


def _fault_in_name(name: str, seen: set[str]) -> str | None:
    if not name:
        return "write a header as Name: value"
    if not _NAME.match(name):
        return f"'{name}' is not a header name; use letters, digits and hyphens"
    if name.lower() in RESERVED:
        return f"CenterHook sets the header {name} itself; leave it out"
    if name.lower() in seen:
        return f"the header {name} is given twice"
    return None
