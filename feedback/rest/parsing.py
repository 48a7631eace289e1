"""JSON bodies: bounded, and nothing in them that a database can't hold."""

from __future__ import annotations

from typing import IO, Any

from django.conf import settings
from rest_framework import parsers
from rest_framework.exceptions import ParseError

from .problems import TOO_LARGE, Problem, in_body, invalid


class JSONParser(parsers.JSONParser):
    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Any = None,
    ) -> Any:
        length = parser_context["request"].META.get("CONTENT_LENGTH") or "0"
        if int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise Problem(413, "too_large", TOO_LARGE)
        # JSON is UTF-8 (RFC 8259), whatever charset the header speaks of.
        as_utf8 = {**parser_context, "encoding": "utf-8"}
        try:
            data = super().parse(stream, media_type, as_utf8)
        except RecursionError as error:
            raise ParseError("JSON parse error - it is nested too deeply.") from error
        if not isinstance(data, dict):
            raise invalid([in_body([], "Send a JSON object.")])
        _refuse_unstorable(data, [])
        return data


def _refuse_unstorable(value: object, path: list[object]) -> None:
    """NUL and halves of surrogate pairs, which JSON can write and nobody can keep."""
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise invalid([in_body(path, "There is a character that can't be kept.")])
    elif isinstance(value, list):
        for number, below in enumerate(value):
            _refuse_unstorable(below, [*path, number])
    elif isinstance(value, dict):
        for name, below in value.items():
            _refuse_unstorable(name, path)
            _refuse_unstorable(below, [*path, name])
