"""Bodies of requests: bounded, and nothing in them that a database can't hold."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from math import isfinite
from typing import IO, Any

from django.conf import settings
from django.http import QueryDict
from rest_framework import parsers
from rest_framework.exceptions import ParseError

from ..models.numbers import MAX_DIGITS
from ..sources.members import Files
from .details import TOO_LARGE
from .problems import Problem, in_body, invalid

MAX_LEVELS = 100
_LONG = "there is a number with more digits than can be kept"


class JSONParser(parsers.JSONParser):
    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Any = None,
    ) -> Any:
        _check_length(parser_context)
        try:
            # JSON is UTF-8 (RFC 8259), whatever charset the header speaks of.
            data = json.loads(
                stream.read().decode("utf-8-sig"),
                parse_int=_whole,
                parse_float=self.read_fraction,
                parse_constant=_refuse_constant,
                object_pairs_hook=_distinct,
            )
        except RecursionError as error:
            raise ParseError("JSON parse error - it is nested too deeply.") from error
        except ValueError as error:
            raise ParseError(f"JSON parse error - {error}") from error
        if not isinstance(data, dict):
            raise invalid([in_body([], "Send a JSON object.")])
        _refuse_unstorable(data, [])
        return data

    @staticmethod
    def read_fraction(text: str) -> object:
        """A float, as most of what reads JSON expects it."""
        number = float(text)
        if not isfinite(number):
            raise ValueError(_LONG)
        return number


class ExactJSONParser(JSONParser):
    """For values that are stored as they are written."""

    @staticmethod
    def read_fraction(text: str) -> object:
        if len(text) <= 3 * MAX_DIGITS:
            number = Decimal(text)
            digits = number.as_tuple()
            if isinstance(digits.exponent, int) and (
                digits.exponent >= -MAX_DIGITS
                and len(digits.digits) + digits.exponent <= MAX_DIGITS
            ):
                return number
        raise ValueError(_LONG)


class FormParser(parsers.FormParser):
    """A form as an object: a text for each name, or a list where there are several."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Any = None,
    ) -> Any:
        _check_length(parser_context)
        return _members(super().parse(stream, media_type, parser_context))


class MultiPartParser(parsers.MultiPartParser):
    """The same; the files of a name are there as `Files`.

    The whole body is bounded by UPLOAD_MAX_BYTES, what is no file by Django.
    """

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Any = None,
    ) -> Any:
        parts = super().parse(stream, media_type, parser_context)
        files = {name: Files(each) for name, each in parts.files.lists()}
        return _members(parts.data) | files


def _check_length(context: Any) -> None:
    length = context["request"].META.get("CONTENT_LENGTH") or "0"
    if int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise Problem(413, "too_large", TOO_LARGE)


def _members(form: QueryDict) -> dict[str, Any]:
    data = {name: texts if len(texts) > 1 else texts[0] for name, texts in form.lists()}
    _refuse_unstorable(data, [])
    return data


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(_LONG)
    return int(text)


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not a number of JSON")


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """What one reader takes the first of, another takes the last of."""
    members = dict(pairs)
    if len(members) < len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"the member {twice[:100]!a} is there twice")
    return members


def _refuse_unstorable(value: object, path: list[object]) -> None:
    """NUL and halves of surrogate pairs, which JSON can write and nobody can keep."""
    if len(path) > MAX_LEVELS:
        raise ParseError("JSON parse error - it is nested too deeply.")
    if isinstance(value, str):
        if not value.isascii() or "\0" in value:
            _check_text(value, path)
    elif isinstance(value, list):
        for number, below in enumerate(value):
            _refuse_unstorable(below, [*path, number])
    elif isinstance(value, dict):
        for name, below in value.items():
            _refuse_unstorable(name, path)
            _refuse_unstorable(below, [*path, name])


def _check_text(text: str, path: list[object]) -> None:
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise invalid([in_body(path, "There is a character that can't be kept.")])
