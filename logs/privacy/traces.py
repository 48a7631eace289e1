"""Finding one person's values in texts, however they are written there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from html import unescape
from typing import Any
from unicodedata import normalize
from urllib.parse import unquote_plus

from feedback.texts import storable

from ..redaction import written_forms

ERASED = "[erased]"
_CODE = re.compile(r"\\u([0-9a-fA-F]{4})")
# What else a value may follow: a character written as a code, in a URL or in JSON.
_AFTER_CODE = r"(?<=%[0-9a-f][0-9a-f])|(?<=\\[nrtbf])|(?<=\\u[0-9a-f]{4})"
_APOSTROPHES = "'’"
# Between the digits of a telephone number, also in a URL. Without a bound, each of
# thousands of plus signs would be the beginning of a number that goes through the rest.
_SEPARATORS = r"(?:%20|%28|%29|[\s()./+-]){0,8}"
# Shorter ones are no telephone numbers.
_FEWEST_DIGITS = 6


class Traces:
    """The values of one person, to be looked for or erased.

    Whole words in any case: Ann is not in Annual. In JSON, URLs and XML too, with
    either kind of apostrophe, and a telephone number with any separators. `wide` also
    finds an address that seems to go on, as at the end of a sentence without a space.
    """

    def __init__(
        self,
        words: Iterable[str] = (),
        *,
        email: str = "",
        phone: str = "",
        wide: bool = False,
    ) -> None:
        words = [word for word in words if _forms(word)]
        patterns = [_in_email(email, wide)] if email else []
        forms = {form: word for word in words for form in _forms(word)}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        patterns += [_in_words(form, forms[form]) for form in longest_first]
        number = _number(phone)
        patterns += [_in_digits(number)] if number else []
        self._pattern = re.compile("|".join(patterns), re.IGNORECASE)
        # A look that costs a hundredth: most texts hold nothing of the person.
        self._needles = [_needle(word) for word in words]
        self._needles += [_needle(email.partition("@")[0])] if email else []
        self._number = re.compile(number or "(?!)", re.IGNORECASE)

    def are_read_in(self, value: Any) -> bool:
        """Also in bytes, and however a stranger's program has escaped them.

        Too wide to take them out of there one by one: the row is scrubbed whole.
        """
        if isinstance(value, bytes | memoryview):
            return any(self.are_read_in(text) for text in _texts(bytes(value)))
        if self.are_in(value):
            return True
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        return self.are_in(_unescaped(text))

    def are_in(self, value: Any) -> bool:
        return bool(self.erased_from(value) != value)

    def erased_from(self, value: Any) -> Any:
        """The same text or JSON value without them."""
        if isinstance(value, str):
            return self._pattern.sub(ERASED, value) if self._may_be_in(value) else value
        if isinstance(value, Mapping):
            return {
                self.erased_from(key): self.erased_from(item)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.erased_from(item) for item in value]
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            text = str(value)
            return ERASED if self.erased_from(text) != text else value
        return value

    def _may_be_in(self, text: str) -> bool:
        lowered = text.lower()
        return any(needle in lowered for needle in self._needles) or bool(
            self._number.search(text)
        )


def _unescaped(text: str) -> str:
    """As JSON, a URL or XML would be read, all at once."""
    if "\\u" in text:
        text = _CODE.sub(lambda code: storable(chr(int(code[1], 16))), text)
    if "%" in text or "+" in text:
        text = unquote_plus(text)
    return unescape(text) if "&" in text else text


def _texts(body: bytes) -> Iterator[str]:
    """What bytes of unknown origin may say."""
    yield body.decode(errors="replace")
    if not body.isascii():
        yield body.decode("latin-1")
    if b"\0" in body:
        yield body.decode("utf-16-le", "replace")
        yield body.decode("utf-16-be", "replace")


def _forms(value: str) -> set[str]:
    """How a value may be written; nothing where it is too short to be distinctive."""
    value = " ".join(value.split())
    if len(value) < 2:
        return set()
    spelt = {
        normalize(form, value.replace(one, other))
        for form in ("NFC", "NFD")
        for one in _APOSTROPHES
        for other in _APOSTROPHES
    }
    forms = {form for each in spelt for form in written_forms(each)}
    return forms | {form.replace("&#x27;", "&#39;") for form in forms}


def _in_words(form: str, word: str) -> str:
    literal = re.escape(form).replace(r"\ ", r"\s+")
    word = word.strip()
    before = rf"(?:(?<![^\W_])|{_AFTER_CODE})" if _has_edges(word[0]) else ""
    after = r"(?![^\W_])" if _has_edges(word[-1]) else ""
    return before + literal + after


def _has_edges(character: str) -> bool:
    """Whether its script puts spaces between words; Chinese, for one, does not."""
    return not character.isalpha() or character.lower() != character.upper()


def _in_email(email: str, wide: bool) -> str:
    forms = "|".join(sorted(map(re.escape, _forms(email)), key=len, reverse=True))
    before = rf"(?:(?<![^\W_])(?<!\w[._+-])|{_AFTER_CODE})"
    after = r"(?![^\W_])(?!-\w)" + ("" if wide else r"(?!\.\w)")
    return f"{before}(?:{forms}){after}"


def _number(phone: str) -> str:
    digits = re.findall(r"\d", phone)
    return _SEPARATORS.join(digits) if len(digits) >= _FEWEST_DIGITS else ""


def _in_digits(number: str) -> str:
    before = rf"(?:(?<!\d)|{_AFTER_CODE})(?:(?:\+|%2B|00){_SEPARATORS})?"
    return rf"{before}{number}(?!\d)"


def _needle(value: str) -> str:
    """What stands in every form of a value, in lower case."""
    runs: list[str] = re.findall(r"[a-z0-9]+", value.lower())
    return max(runs, key=len, default="")
