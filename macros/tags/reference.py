"""The reference of the tag language, made from its catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from . import FILTERS, SUBJECT_KINDS, SUBJECT_NAMES, Scope, namespaces, palette
from .limits import (
    MAX_FILTERED,
    MAX_FILTERED_IN_ALL,
    MAX_FILTERS,
    MAX_SOURCE,
    MAX_TAGS,
)

Row = tuple[str, ...]

ESCAPING: tuple[Row, ...] = (
    (
        'JSON, inside quotes: "text": "((Title))"',
        "Quotes, line breaks and the like are escaped.",
    ),
    (
        "JSON, without quotes: ((Field: Impact))",
        "A JSON value of its own type: number, true or false, text, list; null if"
        " there is none.",
    ),
    (
        "URL",
        "Percent-encoded, so that a value adds no path or query. Only a URL that begins"
        " with a tag takes it as it is.",
    ),
    (
        "Header",
        "As it is, in UTF-8; a value with a line break or a control fails the"
        " delivery.",
    ),
    ("Form", "Encoded as form data."),
    ("XML", "Escaped."),
    (
        'JSON within another text: payload={"text": "((Title))"}',
        "Escaped for the JSON first and then for what is around it: a form field, a"
        " JSON string, a part of a URL, a header, XML; several deep as well. Text that"
        " begins like JSON but can't be read as JSON is refused on save; a tag that"
        " stands there as a whole value with the filter json may stay.",
    ),
    (
        "GraphQL, in a value named query",
        "Escaped inside double quotes, and elsewhere refused on save; better declare a"
        ' variable and put the tag among the "variables".',
    ),
    ("Text", "As it is."),
)
_INTRODUCTION = f"""\
# Dynamic tags

Generated from the catalogue by `manage.py tag_reference`; do not edit.

A tag is written `((Title))` in a web request's URL, headers or body, and becomes the
ticket's or the tester's own value when the request is built. Names are read without
regard to capitals; spaces, hyphens and underscores are the same. A value that contains
`((x))` stays text. Two parentheses that do not begin a tag are written `\\((`.

A filter follows a bar, and several follow each other: `((Title|strip|truncate:80))`.
A tag without a value is empty; with `|required` it fails the delivery, and the log
names the tag. On the tag of a secret only `base64`, `json` and `url` may stand, each
once: what another filter made of it would tell the value piece by piece.

A template has at most {MAX_SOURCE:,} characters and {MAX_TAGS:,} tags, each with at
most {MAX_FILTERS} filters. A value that a filter makes longer than {MAX_FILTERED:,}
characters fails the delivery; so does a template whose filters go over more than
{MAX_FILTERED_IN_ALL:,} characters together.
"""
_MOVING = """\
A template that was written for tickets can be moved to testers: `((Submitter Email))`
and the like mean the tester's own there. What only a ticket has, such as `((Title))` or
`((Field: Severity))`, is refused on save.
"""


def headline(subject: str) -> str:
    return f"In a macro that runs on {SUBJECT_NAMES[subject]}"


def tag_rows(scope: Scope) -> Iterator[tuple[str, list[Row]]]:
    """Each group with its rows (tag, meaning, type, sample), in the palette's order.

    A namespace stands beside those of its members that the scope has.
    """
    rows = [
        (tag.group, (str(tag), tag.meaning, tag.type, tag.sample))
        for tag in palette(scope)
    ]
    for namespace in namespaces(scope):
        rows.append(
            (namespace.group, (namespace.sample, namespace.meaning, "its own", ""))
        )
    order = list(dict.fromkeys(group for group, _ in rows))
    rows.sort(key=lambda row: order.index(row[0]))
    for group, members in groupby(rows, key=lambda row: row[0]):
        yield group, [row for _, row in members]


def filter_rows() -> list[Row]:
    """Each filter: name, argument, meaning, example."""
    return [
        (each.name, each.argument or "", each.meaning, each.example)
        for each in FILTERS.values()
    ]


def markdown() -> str:
    """The whole reference, as docs/tags.md holds it."""
    parts = [_INTRODUCTION]
    for subject in SUBJECT_KINDS:
        parts.append(f"## {headline(subject)}\n")
        for group, rows in tag_rows(Scope.of(subject_kind=subject)):
            shown = [(f"`{tag}`", *rest) for tag, *rest in rows]
            head = ("Tag", "Meaning", "Type", "Sample")
            parts.append(f"### {group}\n\n{_table(head, shown)}")
    parts.append(_MOVING)
    filters = [
        (f"`{name}`", argument, meaning, f"`{example}`")
        for name, argument, meaning, example in filter_rows()
    ]
    head = ("Filter", "After the colon", "What it does", "Example")
    parts.append(f"## Filters\n\n{_table(head, filters)}")
    outputs = [
        (f"`{where}`" if "((" in where else where, how) for where, how in ESCAPING
    ]
    parts.append(f"## What happens to a value\n\n{_table(('Where', 'How'), outputs)}")
    return "\n".join(parts)


def _table(head: Row, rows: Iterable[Row]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
