"""`Prefer: respond-async` (RFC 7240): the caller does not wait for the work's end.

Whatever has no work left when it responds ignores it, as it does all other preferences.
"""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

HEADER = "Prefer"
APPLIED = "Preference-Applied"
RESPOND_ASYNC = "respond-async"


def wants_async(request: Request) -> bool:
    """Whether it is one of the preferences, and no parameter or text of another."""
    given = request.headers.get(HEADER, "").lower()
    escaped = given.replace("\\\\", "").replace('\\"', "")
    # Each second piece stands between quotation marks.
    unquoted = "".join(escaped.split('"')[::2])
    names = (each.partition(";")[0].strip() for each in unquoted.split(","))
    return RESPOND_ASYNC in names


def accepted(request: Request, response: Response, url: str) -> Response:
    """202 in place of the response's status, where the caller asked for that.

    `url` tells how the work goes, and is in `Location` either way.
    """
    response["Location"] = url
    if wants_async(request):
        response.status_code = 202
        response[APPLIED] = RESPOND_ASYNC
    return response
