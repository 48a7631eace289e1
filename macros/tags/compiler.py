"""From a template's text to a Template, or to everything that is wrong with it."""

from __future__ import annotations

from feedback.names import normalise

from .catalogue import SUBJECT_NAMES
from .contexts import LAYOUTS, OMIT, OutputContext
from .errors import BadArgument, Problem, TemplateError
from .filters import FILTERS, Apply
from .lexer import cut
from .limits import MAX_SOURCE
from .names import nearest
from .namespaces import find_tag, nearest_tag, subjects_with_tag
from .scope import Scope
from .source import Literal, RawFilter, RawTag, Source
from .tag import Tag
from .template import Template, Use

_MAX_QUOTED = 60


def compile_template(text: str, output: OutputContext, scope: Scope) -> Template:
    """Raises TemplateError with every problem that can be source in one go.

    A value never changes the shape of what is around it:

        {"text": "((Title))"}        a quote in the title stays in the string
        {"text": ((Title))}          a string, not the title's own JSON
        https://host/((Title))/x     a title of a/../b is one path segment
        a=((Title))                  a title of x&b=y is one form value
        ((Title))                    a title of ((Secret: key)) is that text
    """
    source = Source(text)
    _check_text(source)
    if source.problems:
        raise TemplateError(source.problems)
    pieces = cut(source, keep_backslashes=output is OutputContext.JSON)
    layout = LAYOUTS[output](source, pieces)
    known: dict[int, tuple[Tag, tuple[Apply, ...]]] = {}
    for piece in pieces:
        if isinstance(piece, RawTag) and not source.is_spoilt:
            tag = _resolve(source, piece, scope)
            filters = _build_filters(source, piece, tag)
            _check_omissions(source, piece, output)
            if tag is not None:
                known[piece.start] = tag, filters
    if source.problems:
        raise TemplateError(sorted(source.problems, key=_position))
    uses = [Use(*known[slot.tag.start], slot) for slot in layout.slots()]
    prefix = pieces[0].text if pieces and isinstance(pieces[0], Literal) else ""
    return Template(text, output, prefix, layout, uses)


def _position(problem: Problem) -> tuple[int, int]:
    return problem.line, problem.column


def _check_text(source: Source) -> None:
    if len(source.text) > MAX_SOURCE:
        source.refuse(0, f"the text is longer than {MAX_SOURCE:,} characters")
        return
    try:
        source.text.encode()
    except UnicodeEncodeError as error:
        source.refuse(error.start, "this character is broken and cannot be sent")


def _resolve(source: Source, raw: RawTag, scope: Scope) -> Tag | None:
    if not raw.name:
        source.refuse(raw.start, "the tag has no name; write \\(( for (( as text")
        return None
    try:
        tag = find_tag(raw.name, scope)
    except ValueError as error:
        source.refuse(raw.start, str(error))
        return None
    if tag is None:
        message = f"unknown tag (({_shortened(raw.name)}))"
        if others := subjects_with_tag(raw.name, scope):
            message = (
                f"(({_shortened(raw.name)})) is a tag of {others}, and this macro runs"
                f" on {SUBJECT_NAMES[scope.subject_kind]}"
            )
        source.refuse(raw.start, message, nearest_tag(raw.name, scope))
    return tag


def _build_filters(source: Source, raw: RawTag, tag: Tag | None) -> tuple[Apply, ...]:
    kind = "text" if tag is None else tag.type
    if tag is not None and tag.secret:
        _check_secret(source, raw)
    built = (_build_filter(source, item, kind) for item in raw.filters)
    return tuple(apply for apply in built if apply is not None)


def _check_omissions(source: Source, raw: RawTag, output: OutputContext) -> None:
    for item in raw.filters:
        if output is not OutputContext.JSON and normalise(item.name) == OMIT:
            message = "the filter omit can be in a JSON body only; it names a member"
            source.refuse(item.start, message)


def _check_secret(source: Source, raw: RawTag) -> None:
    """Anything else would tell a secret piece by piece, to who tries and looks."""
    seen: set[str] = set()
    for item in raw.filters:
        name = normalise(item.name)
        if name in FILTERS and not FILTERS[name].whole:
            allowed = "base64, json and url"
            message = (
                f"the filter {name} can't be on a secret, since what comes of it would"
                f" tell a part of the value; {allowed} can"
            )
            source.refuse(item.start, message)
        elif name in seen:
            source.refuse(item.start, f"the filter {name} is on the secret twice")
        seen.add(name)


def _build_filter(source: Source, raw: RawFilter, kind: str) -> Apply | None:
    known = FILTERS.get(normalise(raw.name))
    if not raw.name:
        source.refuse(raw.start, "the name of a filter is missing after |")
    elif known is None:
        message = f"unknown filter '{_shortened(raw.name)}'"
        source.refuse(raw.start, message, nearest(raw.name, FILTERS))
    elif known.argument is None and raw.argument is not None:
        source.refuse(raw.argument_start, f"the filter {known.name} takes no argument")
    elif known.argument is not None and raw.argument is None:
        message = f"the filter {known.name} needs a colon and {known.argument}"
        source.refuse(raw.start, message)
    else:
        try:
            return known.build(raw.argument or "", kind)
        except BadArgument as error:
            start = raw.argument_start
            source.refuse(start, error.message, error.suggestion)
    return None


def _shortened(name: str) -> str:
    return name if len(name) <= _MAX_QUOTED else name[: _MAX_QUOTED - 1] + "…"
