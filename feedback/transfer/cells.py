"""Values of others in a file that a spreadsheet will open."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

# What makes a cell a formula, by OWASP's page on CSV injection; the second row is the
# full-width form, which some spreadsheets read alike.
BEGINS_FORMULA = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
# What stands in front without being seen: spaces, NUL, BOM, zero-width and direction.
INVISIBLE = " \0\xa0\u3000\ufeff\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202d\u202e"


def safe_cell(value: object) -> object:
    """A value for one cell of a CSV or spreadsheet file: shown, never calculated.

    Text that would begin a formula, also after spaces, gets an apostrophe in front.
    Numbers, dates, booleans and None stay what they are; anything else becomes text.
    Quotes and separators are the CSV writer's part.

    >>> safe_cell('=HYPERLINK("https://evil.example","Open")')
    '\\'=HYPERLINK("https://evil.example","Open")'
    >>> safe_cell(-5), safe_cell("-5")
    (-5, "'-5")
    """
    if value is None or isinstance(value, (int, float, Decimal, date, time)):
        return value
    text = str(value)
    starts = {text[:1], text.lstrip(INVISIBLE)[:1]}
    return f"'{text}" if starts & BEGINS_FORMULA else text


def kept_cell(value: object) -> object:
    """The same, so that `plain_cell` gives every text back as it was."""
    if isinstance(value, str) and value.startswith("'") and _is_guarded(value[1:]):
        return f"'{value}"
    return safe_cell(value)


def as_cell(value: object) -> object:
    """An answer or a value from outside, as it stands in one cell."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "\n".join(map(str, value))
    return "" if value is None else value


def plain_cell(text: str) -> str:
    """A cell of a file of ours without the apostrophe that keeps it a text.

    >>> plain_cell("'=1+1"), plain_cell("'quoted'")
    ('=1+1', "'quoted'")
    """
    guarded = text.startswith("'") and _is_guarded(text[1:])
    return text[1:] if guarded else text


def _is_guarded(text: str) -> bool:
    bare = text.lstrip("'")
    return safe_cell(bare) != bare
