"""What drf-spectacular can't find out by itself."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from . import idempotency, preconditions, shaping
from .details import CONTENT_TYPE


class Schema(AutoSchema):
    """With what every view of ours takes, by its method."""

    def get_override_parameters(self) -> list[Any]:
        own: list[Any] = super().get_override_parameters()
        view: Any = self.view
        action = getattr(view, "action", "")
        if self.method == "POST" and action not in view.own_repeats:
            own = [*own, _IDEMPOTENCY_KEY]
        if self.method in ("PATCH", "DELETE"):
            own = [*own, _IF_MATCH]
        if action in ("list", "retrieve"):
            own = [*own, _FIELDS]
        return [*own, _IF_NONE_MATCH] if action == "retrieve" else own


def _header(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=description)


_IDEMPOTENCY_KEY = _header(
    idempotency.HEADER,
    "Any text of your own, such as a random UUID. The same request with the same key"
    " does its work once: for 24 hours it gives the first one's response again.",
)
_IF_MATCH = _header(
    preconditions.IF_MATCH,
    "The `ETag` of the row as you read it: 412 if it was changed since.",
)
_IF_NONE_MATCH = _header(
    preconditions.IF_NONE_MATCH, "An `ETag` that you have: 304 if it is still true."
)
_FIELDS = OpenApiParameter(
    shaping.PARAMETER, str, OpenApiParameter.QUERY, description=shaping.DESCRIPTION
)


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "feedback.rest.authentication.KeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        description = "An API key of the community: `Authorization: Bearer ch_...`"
        return {"type": "http", "scheme": "bearer", "description": description}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "feedback.rest.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        description = "The admin's session; to change anything, with `X-CSRFToken`."
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": description,
        }


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
        "errors": {"type": "array", "items": _FAULT},
    },
}


def add_problems(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """A postprocessing hook: every operation may end in problem details."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = _PROBLEM
    refusal: dict[str, object] = {
        "description": "Refused; `detail` says why.",
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"]["4XX"] = refusal
    return result
