"""Problem details in the schema: one response for each status, named once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .details import CONTENT_TYPE, details
from .shaping import PARAMETER

_FAULT = {
    "type": "object",
    "description": "Which member of the request is wrong, and why.",
    "required": ["detail"],
    "properties": {
        "parameter": {"type": "string", "description": "A parameter of the query."},
        "header": {"type": "string", "description": "A header."},
        "pointer": {"type": "string", "description": "A place in the body: #/ids/3."},
        "detail": {"type": "string"},
    },
}
_PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "For people."},
        "code": {"type": "string", "description": "For programs: invalid_key ..."},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}},
    },
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a status means, and an example of it."""

    title: str
    meaning: str
    code: str
    sentence: str

    @property
    def name(self) -> str:
        return self.title.replace(" ", "")


# The titles are those of RFC 9110, which Python's versions do not agree on.
REFUSALS = {
    400: Refusal(
        "Bad Request",
        "What was sent is wrong; `errors` name where.",
        "invalid",
        "page_size: Give a number from 1 to 200.",
    ),
    401: Refusal(
        "Unauthorized",
        "Neither key nor session, or one that is not valid.",
        "invalid_key",
        "This API key is not valid.",
    ),
    403: Refusal(
        "Forbidden",
        "The key's scopes, or the person's role, do not allow this.",
        "missing_scope",
        "This API key lacks the scope: run macros.",
    ),
    404: Refusal(
        "Not Found",
        "It does not exist, or the caller may not see it.",
        "not_found",
        "There is no run 17.",
    ),
    409: Refusal(
        "Conflict",
        "Not possible as things are now; `detail` says what is in the way.",
        "run_state",
        "Nothing was changed: the run is finished.",
    ),
    412: Refusal(
        "Precondition Failed",
        "The row is not as in `If-Match` any more.",
        "precondition_failed",
        "The row was changed since you read it. Read it again, then change.",
    ),
    413: Refusal(
        "Content Too Large",
        "The body is too large.",
        "too_large",
        "The body is too large. Send less at once.",
    ),
    415: Refusal(
        "Unsupported Media Type",
        "The body is of a media type that is not taken here.",
        "unsupported_media_type",
        'Unsupported media type "text/plain" in request.',
    ),
    422: Refusal(
        "Unprocessable Content",
        "The `Idempotency-Key` came before, with another body.",
        "idempotency_key_reused",
        "This key was used for a call that said something else.",
    ),
    428: Refusal(
        "Precondition Required",
        "All that belongs to the row goes with it: send its ETag as `If-Match`.",
        "precondition_required",
        "All that belongs to it is deleted as well. Read it first.",
    ),
    429: Refusal(
        "Too Many Requests",
        "Too many requests; `Retry-After` says when to come again.",
        "rate_limited",
        "More than 1,200 requests came within a minute. Send the next one in 42"
        " seconds.",
    ),
    503: Refusal(
        "Service Unavailable",
        "The database took too long, and what had begun was undone; or it is away"
        " (`database_away`): `Retry-After` says when to come again.",
        "took_too_long",
        "The database took too long. Ask for less at once.",
    ),
}


def refusal_of(status: int) -> dict[str, str]:
    return {"$ref": f"#/components/responses/{REFUSALS[status].name}"}


def _response(status: int, refusal: Refusal) -> dict[str, Any]:
    example = details(status, refusal.code, refusal.sentence)
    content = {
        "schema": {"$ref": "#/components/schemas/Problem"},
        "example": {**example, "title": refusal.title},
    }
    response: dict[str, Any] = {
        "description": refusal.meaning,
        "content": {CONTENT_TYPE: content},
    }
    if status == 429:
        wait = {"description": "In how many seconds.", "schema": {"type": "integer"}}
        response["headers"] = {"Retry-After": wait}
    return response


def complete(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """A postprocessing hook: what is known only of the whole schema."""
    components = result.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas |= {"Problem": _PROBLEM, "Fault": _FAULT}
    components["responses"] = {
        refusal.name: _response(status, refusal) for status, refusal in REFUSALS.items()
    }
    for operation in _operations(result):
        for media in operation.get("requestBody", {}).get("content", {}).values():
            row = _resolved(media["schema"], schemas)
            if "properties" in row:
                # A member that nobody knows is refused, as it may be a mistake.
                row["additionalProperties"] = False
        names = {each.get("name") for each in operation.get("parameters", ())}
        if PARAMETER in names:
            _make_optional(operation["responses"]["200"], schemas)
    return result


def _operations(result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for operations in result["paths"].values():
        yield from operations.values()


def _make_optional(response: dict[str, Any], schemas: dict[str, Any]) -> None:
    """With `fields`, any member of a row may be left out."""
    for media in response["content"].values():
        row = _resolved(media["schema"], schemas)
        results = row.get("properties", {}).get("results", {}).get("items")
        if results:
            row = _resolved(results, schemas)
        row.pop("required", None)


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    return schema
