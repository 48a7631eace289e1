"""What the filters do. Each takes a value and gives one; no value stays no value."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from decimal import Decimal
from urllib.parse import quote

from .arguments import parts, whole
from .errors import BadArgument, Missing, ValueRefused
from .lengths import Limit
from .limits import MAX_FILTERED, MAX_FILTERED_IN_ALL
from .scope import RenderContext
from .values import PercentEncoded, is_empty, to_text

Apply = Callable[[object], object]
# Called with the argument as written ("" when there is none) and the tag's type;
# raises BadArgument.
Build = Callable[[str, str], Apply]


# So short a text is not counted: with the most tags and filters it is as little work.
_FREE = 100


def too_long() -> ValueRefused:
    limit = f"{MAX_FILTERED:,}"
    return ValueRefused(f"is longer than {limit} characters once its filters are done")


def bounded(value: object, context: RenderContext) -> object:
    """What a filter gave. Raises ValueRefused if it is too long to go on with.

    So does what all filters of a template gave: each goes over the whole text.
    """
    if isinstance(value, str):
        length = len(value)
    elif isinstance(value, (list, tuple)):
        length = sum(len(each) if isinstance(each, str) else 1 for each in value)
    else:
        return value
    if length > _FREE:
        context.filtered += length
        if length > MAX_FILTERED:
            raise too_long()
        if context.filtered > MAX_FILTERED_IN_ALL:
            limit = f"{MAX_FILTERED_IN_ALL:,}"
            raise ValueRefused(
                f"takes the filters of this text over {limit} characters in all;"
                " shorten long values with truncate, as the first filter"
            )
    return value


def on_text(change: Callable[[str], object]) -> Apply:
    return lambda value: None if value is None else change(to_text(value))


def on_each_text(change: Callable[[str], str]) -> Apply:
    """A list stays one, so that it can still be joined or be a JSON list."""

    def apply(value: object) -> object:
        if value is None:
            return None
        if not isinstance(value, (list, tuple)):
            return change(to_text(value))
        texts: list[str] = []
        length = 0
        for item in value:
            texts.append(change(to_text(item)))
            length += len(texts[-1])
            if length > MAX_FILTERED:
                raise too_long()
        return texts

    return apply


def fixed(apply: Apply) -> Build:
    return lambda argument, kind: apply


def truncate(argument: str, kind: str) -> Apply:
    limit = Limit.parse(argument)
    surely = limit.surely

    def shorten(text: str) -> str:
        # A plain string: shortened JSON would no longer be JSON.
        return str(text if len(text) <= surely else limit.cut(text))

    return on_text(shorten)


def fits(argument: str, kind: str) -> Apply:
    limit = Limit.parse(argument)
    return lambda value: value if limit.fits(to_text(value)) else None


def omit(argument: str, kind: str) -> Apply:
    """What leaves the member out is the layout of the JSON."""
    if not whole(argument.strip()):
        message = "the filter omit needs the name of a member, as in omit:email"
        raise BadArgument(message)
    return lambda value: value


def default(argument: str, kind: str) -> Apply:
    instead = _typed(whole(argument.strip()), kind)
    return lambda value: instead if is_empty(value) else value


def _typed(text: str, kind: str) -> object:
    """A number's default is a number where JSON can tell the difference."""
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    if kind == "number" and _NUMBER.fullmatch(text):
        return Decimal(text) if "." in text else int(text)
    return text


def required(value: object) -> object:
    if is_empty(value):
        raise Missing("has no value, and the template requires one")
    return value


def title_case(text: str) -> str:
    """str.title would write It'S."""
    before = [" ", *text]
    return "".join(
        [
            letter.upper() if last.isspace() else letter.lower()
            for last, letter in zip(before, text, strict=False)
        ]
    )


def replace(argument: str, kind: str) -> Apply:
    pieces = [whole(piece) for piece in parts(argument, ",")]
    if len(pieces) != 2:
        raise BadArgument(
            "the filter replace needs two texts with a comma between, as in"
            ' replace:a,b or, for a comma itself, replace:",",b'
        )
    old, new = pieces
    if not old:
        raise BadArgument("the filter replace needs a text to look for")
    grows = len(new) - len(old)

    def change(text: str) -> str:
        # Counted first: what would be too long is not even made.
        if grows > 0 and len(text) + text.count(old) * grows > MAX_FILTERED:
            raise too_long()
        return text.replace(old, new)

    return on_each_text(change)


def join(argument: str, kind: str) -> Apply:
    separator = whole(argument)

    def apply(value: object) -> object:
        if not isinstance(value, (list, tuple)):
            return value
        if len(value) * len(separator) > MAX_FILTERED:
            raise too_long()
        return separator.join([to_text(item) for item in value])

    return apply


def base64(text: str) -> str:
    return b64encode(text.encode("utf-8", "replace")).decode("ascii")


def percent_encode(text: str) -> str:
    return PercentEncoded(quote(text, safe="", errors="replace"))


_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?")
