from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from django.utils.http import parse_header_parameters

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def within_charsets(application: Application) -> Application:
    """Take a charset out of `Content-Type` by which no text can be read.

    Django reads the query by it before all middleware, so that `charset=hex` would be a
    fault of the server for whoever calls.
    """

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        kind = environ.get("CONTENT_TYPE", "")
        if "charset" in kind.lower():
            environ = {**environ, "CONTENT_TYPE": _readable(kind)}
        return application(environ, start_response)

    return call


def _readable(kind: str) -> str:
    try:
        name, parameters = parse_header_parameters(kind)
    except ValueError:  # It is too long, as Django will say.
        return kind
    if is_charset(parameters.get("charset", "utf-8")):
        return kind
    del parameters["charset"]
    return "; ".join([name, *(f'{each}="{parameters[each]}"' for each in parameters)])


@lru_cache(maxsize=100)
def is_charset(name: str) -> bool:
    """Whether whatever bytes come can be read by it, and texts as well."""
    try:
        bytes(range(256)).decode(name, "replace").encode(name, "replace")
    except (LookupError, ValueError):
        return False
    return True
