"""What people and programs are told where a page could not be made."""

from __future__ import annotations

import sys

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views import defaults

from feedback.database import ask_anew, is_away
from feedback.rest import details

from .middleware import is_for_programs

# When to ask again while the database is away, in seconds.
AWAY_SECONDS = 5


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_for_programs(request):
        return details.response(400, "invalid", "The request can't be understood.")
    if isinstance(exception, BadRequest):
        # Raised with a sentence, unlike what Django takes for an attack.
        page = {"sentence": str(exception)}
        return render(request, "400.html", page, status=400)
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    error = sys.exception()
    if error is not None and is_away(error):
        return _database_away(request)
    if is_for_programs(request):
        message = "Something went wrong on our side and was logged. Try again later."
        return details.response(500, "server_error", message)
    return defaults.server_error(request)


def _database_away(request: HttpRequest) -> HttpResponse:
    ask_anew()
    if is_for_programs(request):
        response: HttpResponse = details.response(
            503,
            "database_away",
            "The database does not respond, has no room left, or takes no writes for"
            " now. Send the same again after as many seconds as Retry-After says,"
            " with the same Idempotency-Key where you write.",
        )
    else:
        page = {"is_reading": request.method in ("GET", "HEAD", "OPTIONS")}
        response = HttpResponse(render_to_string("503_database.html", page), status=503)
    response["Retry-After"] = str(AWAY_SECONDS)
    return response
