"""What people and programs are told while the database takes nothing.

It is away, its disk is full, or it is a standby: no fault of the request, which may be
sent again as it is.
"""

from __future__ import annotations

from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template

from feedback.rest import details

from .middleware import is_for_programs

RETRY_AFTER_SECONDS = 30
# PostgreSQL's state of a standby, which psycopg counts as an internal error.
_READ_ONLY = "25006"
_SENTENCE = (
    "The database takes nothing at the moment, so nothing of this was saved. Send it"
    " again in a minute."
)


def is_of_database(error: BaseException | None) -> bool:
    if isinstance(error, InternalError):
        return getattr(error.__cause__, "sqlstate", None) == _READ_ONLY
    return isinstance(error, (InterfaceError, OperationalError))


def response(request: HttpRequest) -> HttpResponse:
    made: HttpResponse
    if is_for_programs(request):
        made = details.response(503, "database_away", _SENTENCE)
    else:
        # Without the request: who is signed in stands in the database.
        made = HttpResponse(get_template("database.html").render(), status=503)
    made["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return made
