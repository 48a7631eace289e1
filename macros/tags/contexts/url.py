"""A URL: a value never reaches beyond the part of it that its tag stands in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import quote, unquote_plus, urlsplit

from ..errors import ValueRefused
from ..source import Literal, Piece, RawTag, Source
from ..values import PercentEncoded, to_text
from .layout import Layout, Region, Slot
from .nested import look_inside, nest

_SCHEMES = ("http://", "https://")
_NEEDS_SCHEME = "The URL must begin with http:// or https://"
_UNFIT = re.compile(r"[\s\x00-\x1f\x7f-\x9f\\]")
# The same, but for the backslashes that make parentheses text.
_UNFIT_IN_SOURCE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]|\\(?!\(\(|\)\))")
# Clients take a URL with one for not encoded at all, and encode all of it once more.
_LONE_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")
_UNFIT_IN_HOST = frozenset('%<>"{}|^`')
_SEPARATOR = re.compile(r"[/?&#]")
_AUTHORITY_END = re.compile(r"[/?#]")


def lay_out_url(source: Source, pieces: list[Piece]) -> Layout:
    """A URL that no value could make valid is a problem; the rest is checked later."""
    parts: list[str | Slot] = []
    for piece in pieces:
        if isinstance(piece, Literal):
            parts.append(piece.text)
        else:
            parts.append(Slot(piece, _whole if piece.start == 0 else _encoded))
    parts = nest(parts, look_inside(source, _regions(pieces)))
    _join_queries(parts)
    if not _has_fit_letters(source, pieces):
        return Layout(parts)
    if parts and isinstance(parts[0], Slot):
        return Layout(parts, check_url)
    # A digit stands for each tag, for it can be a host, a port and a part of either.
    trial = "".join(part if isinstance(part, str) else "1" for part in parts)
    try:
        check_url(trial)
    except ValueRefused as refused:
        source.refuse(0, str(refused))
    return Layout(parts, _render_check(parts))


def _regions(pieces: list[Piece]) -> Iterator[Region]:
    """The parts of the path and of the query, as the server reads them."""
    parts: list[str | RawTag] = []
    in_query = False
    for piece in pieces:
        if isinstance(piece, RawTag):
            parts.append(piece)
            continue
        start = 0
        for mark in _SEPARATOR.finditer(piece.text):
            if in_query and mark[0] in "/?":
                continue
            yield _region([*parts, piece.text[start : mark.start()]], in_query)
            parts, start = [], mark.end()
            in_query = in_query or mark[0] in "?#"
        parts.append(piece.text[start:])
    yield _region(parts, in_query)


def _region(parts: list[str | RawTag], in_query: bool) -> Region:
    name = ""
    if in_query:
        for index, part in enumerate(parts):
            if isinstance(part, str) and "=" in part:
                before, _, value = part.partition("=")
                name = "".join(map(str, [*parts[:index], before]))
                parts = [value, *parts[index + 1 :]]
                break
    return Region(
        [unquote_plus(part) if isinstance(part, str) else part for part in parts], name
    )


def _join_queries(parts: list[str | Slot]) -> None:
    """A whole URL may have a query of its own: then what follows is added to that."""
    if len(parts) < 2:
        return
    first, second = parts[:2]
    if isinstance(first, Slot) and isinstance(second, str) and second[0] == "?":
        parts[0] = Slot(first.tag, _whole_before_query, f"{first.mask}?")
        parts[1] = second[1:]


def _has_fit_letters(source: Source, pieces: list[Piece]) -> bool:
    before = len(source.problems)
    for piece in pieces:
        if isinstance(piece, Literal) and _UNFIT.search(piece.text):
            unfit = _UNFIT_IN_SOURCE.search(source.text, piece.start, piece.end)
            offset = unfit.start() if unfit else piece.start
            source.refuse(
                offset, "a URL may hold no spaces, line breaks or backslashes"
            )
        elif isinstance(piece, Literal) and _LONE_PERCENT.search(piece.text):
            lone = _LONE_PERCENT.search(source.text, piece.start, piece.end)
            offset = lone.start() if lone else piece.start
            source.refuse(
                offset,
                "a % must have two hexadecimal digits after it; %25 is a % itself",
            )
    return len(source.problems) == before


def _render_check(parts: list[str | Slot]) -> Callable[[str], None] | None:
    """What values can still spoil: nothing, the path, or the host too."""
    if len(parts) < 2:
        return None
    first = str(parts[0])
    ends = _AUTHORITY_END.search(first, first.find("//") + 2)
    return _check_path if ends else check_url


def _encoded(value: object) -> str:
    if isinstance(value, PercentEncoded):
        return value
    return quote(to_text(value), safe="", errors="replace")


def _whole(value: object) -> str:
    """A URL kept in a secret or in external data."""
    text = to_text(value).strip()
    if _UNFIT.search(text):
        raise ValueRefused(
            "holds a space, line break or backslash, which a URL cannot hold"
        )
    if _LONE_PERCENT.search(text):
        raise ValueRefused("holds a % without two hexadecimal digits after it")
    return text


def _whole_before_query(value: object) -> str:
    url = _whole(value).partition("#")[0]
    if url.endswith(("?", "&")):
        return url
    return f"{url}&" if "?" in url else f"{url}?"


def check_url(url: str) -> None:
    """Raises ValueRefused. Never quotes the URL: it could hold a secret."""
    if not url[:8].lower().startswith(_SCHEMES):
        raise ValueRefused(_NEEDS_SCHEME)
    start = url.index("//") + 2
    end = _AUTHORITY_END.search(url, start)
    authority = url[start : end.start()] if end else url[start:]
    if "@" in authority:
        raise ValueRefused("The URL may hold no user name or password before the host")
    try:
        split = urlsplit(f"//{authority}")
        host, port = split.hostname, split.port
    except ValueError:
        raise ValueRefused("The URL has no valid host and port") from None
    if not host or port == 0:
        raise ValueRefused("The URL has no host")
    if not _UNFIT_IN_HOST.isdisjoint(authority):
        raise ValueRefused("The URL's host holds a character that no host can hold")
    _check_path(url)


def _check_path(url: str) -> None:
    """Clients resolve dots, which would take the request to another path."""
    path = url.partition("?")[0].partition("#")[0].lower().replace("%2e", ".")
    if not {".", ".."}.isdisjoint(path.split("/")):
        raise ValueRefused("The URL may hold no . or .. as a part of its path")
