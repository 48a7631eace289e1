"""`Prefer: respond-async` (RFC 7240): the caller does not wait for the work's end."""

from __future__ import annotations

import re

from rest_framework.request import Request
from rest_framework.response import Response

HEADER = "Prefer"
RESPOND_ASYNC = "respond-async"


def wants_async(request: Request) -> bool:
    given = request.headers.get(HEADER, "").lower()
    return RESPOND_ASYNC in (each.strip() for each in re.split(r"[,;]", given))


def accepted(request: Request, response: Response, url: str) -> Response:
    """202 in place of the response's status, where the caller asked for that.

    `url` tells how the work goes, and is in `Location` either way.
    """
    response["Location"] = url
    if wants_async(request):
        response.status_code = 202
        response["Preference-Applied"] = RESPOND_ASYNC
    return response
