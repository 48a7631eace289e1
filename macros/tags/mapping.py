"""The filter `map`: another word for each value."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from feedback.names import fold

from .arguments import parts, whole
from .errors import BadArgument
from .values import to_text


def build_map(argument: str, kind: str) -> Callable[[object], object]:
    table: dict[str, str] = {}
    for piece in parts(argument, ","):
        pair = parts(piece, "=", max_cuts=1)
        if len(pair) != 2:
            raise BadArgument(
                f"'{piece.strip()}' has no '='; write map:Critical=P1,Major=P2,*=P3"
            )
        key, value = (whole(side.strip()) for side in pair)
        if fold(key) in table:
            raise BadArgument(f"the filter map has '{key}' twice")
        table[fold(key)] = value
    return _mapper(table)


def _mapper(table: Mapping[str, str]) -> Callable[[object], object]:
    """A value that is not listed takes that of *, and without a * it stays."""
    otherwise = table.get("*")

    def change(value: object) -> object:
        known = table.get(fold(to_text(value)), otherwise)
        return value if known is None else known

    def apply(value: object) -> object:
        if isinstance(value, (list, tuple)) and value:
            return [change(item) for item in value]
        return change(value)

    return apply
