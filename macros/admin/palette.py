"""The tags and filters to choose from, each with its value for one subject."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from ..models import Macro
from ..steps.dry_run import Subject
from ..steps.previews import context_of
from ..tags import MASK, RenderContext, Scope, Tag, find_tag, palette, to_text
from ..tags.reference import filter_rows

MAX_VALUE = 60
MAX_EXTERNAL = 100


@dataclass(frozen=True, slots=True)
class Row:
    """What is inserted, what it means, and what it gives."""

    name: str
    text: str
    meaning: str
    value: str
    is_sample: bool = False


def render_palette(
    macro: Macro | None = None, subject: Subject | None = None
) -> SafeString:
    """The tags of a macro that has an owner; without one, those of every macro."""
    scope = Scope.of() if macro is None else macro.scope()
    context = None if macro is None or subject is None else context_of(macro, subject)
    tags = [*palette(scope), *_external(scope, subject)]
    if payload := find_tag("Payload: $.issue.key", scope):
        tags.append(payload)
    order = list(dict.fromkeys(tag.group for tag in tags))
    tags.sort(key=lambda tag: order.index(tag.group))
    groups = [
        (group, [_row(tag, context) for tag in members])
        for group, members in groupby(tags, key=lambda tag: tag.group)
    ]
    groups.append(("Filters", list(_filters())))
    return render_to_string(
        "admin/macros/macro/palette.html", {"groups": groups, "subject": subject}
    )


def _external(scope: Scope, subject: Subject | None) -> Iterator[Tag]:
    """What other systems gave for this very subject."""
    names = list(subject.external_data) if subject is not None else []
    for name in names[:MAX_EXTERNAL]:
        if tag := find_tag(f"External: {name}", scope):
            yield tag


def _row(tag: Tag, context: RenderContext | None) -> Row:
    if tag.secret:
        return Row(tag.name, str(tag), tag.meaning, MASK)
    if context is None:
        return Row(tag.name, str(tag), tag.meaning, tag.sample, is_sample=True)
    return Row(
        tag.name, str(tag), tag.meaning, _shortened(to_text(tag.resolve(context)))
    )


def _filters() -> Iterator[Row]:
    for name, _, meaning, example in filter_rows():
        # What the example has after its tag.
        text = "|" + example.partition("|")[2].removesuffix("))")
        yield Row(name, text, meaning, text)


def _shortened(text: str) -> str:
    one_line = " ".join(text[: 4 * MAX_VALUE].split())
    if len(one_line) <= MAX_VALUE:
        return one_line
    return one_line[: MAX_VALUE - 1] + "…"
