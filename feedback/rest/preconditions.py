"""Whether a row is still as the caller read it: ETag, If-Match, If-None-Match.

RFC 9110, sections 8.8.3 and 13.1. An entity tag is a hash of the whole row as the API
shows it, whatever members of it were asked for.
"""

from __future__ import annotations

import hashlib
import re

from rest_framework.request import Request

from .problems import Problem, in_header, invalid
from .rendering import JSONRenderer

IF_MATCH, IF_NONE_MATCH = "If-Match", "If-None-Match"
_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_LIST = re.compile(rf"\s*{_TAG.pattern}(?:\s*,\s*{_TAG.pattern})*\s*")


def etag_of(data: object) -> str:
    digest = hashlib.sha256(JSONRenderer().render(data)).hexdigest()
    return f'"{digest[:32]}"'


def is_known(request: Request, etag: str) -> bool:
    """Whether the caller has the row as it is, so that 304 says enough."""
    given = request.headers.get(IF_NONE_MATCH, "")
    known = [tag.removeprefix("W/") for tag in _TAG.findall(given)]
    return given.strip() == "*" or etag in known


def check_written(request: Request) -> None:
    """Raises Problem where the header holds no tag at all."""
    given = request.headers.get(IF_MATCH, "*").strip()
    if given != "*" and not _LIST.fullmatch(given):
        raise invalid([in_header(IF_MATCH, "Give the ETag as it came, in its quotes.")])


def check_match(request: Request, etag: str) -> None:
    """Raises Problem where the row is not as the caller read it."""
    given = request.headers.get(IF_MATCH, "*").strip()
    if given == "*":
        return
    # Weak tags never match here.
    if etag not in _TAG.findall(given):
        problem = "The row was changed since you read it. Read it again, then change."
        # Not what it is now, which tells something of a row that one may not see.
        fault = in_header(IF_MATCH, "This is not the row's ETag any more.")
        raise Problem(412, "precondition_failed", problem, [fault])
