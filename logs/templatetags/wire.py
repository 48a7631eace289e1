"""How the log shows what others have sent."""

from __future__ import annotations

import re
import unicodedata

from django import template

from ..recording import explanations

register = template.Library()

# All that is not seen, or changes how what follows is seen: C0 and C1 but for tab and
# new line, zero-width characters, and what turns the direction of reading.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)


@register.filter
def error_label(error_class: str) -> str:
    return explanations.error_label(error_class)


@register.filter
def visible(value: object) -> str:
    """The text with its unseen characters named, so that it reads as it was sent.

    Else a right-to-left override could make a body read as another one, and an escape
    sequence act in the terminal it is copied to.
    """
    text = "" if value is None else str(value)
    return _UNSEEN.sub(_named, text.replace("\r\n", "\n"))


def _named(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)  # Its own picture, such as ␛.
    name = unicodedata.name(match[0], "").lower()
    return f"⟨U+{code:04X}{f' {name}' if name else ''}⟩"
