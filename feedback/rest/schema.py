"""What drf-spectacular can't find out by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from . import idempotency, preconditions, preferences, shaping
from .schema_refusals import refusal_of
from .viewsets import WRITES

_DIGITS = re.compile(r"\^?\[0-9\]\{1,\d+\}\$?")
# What JavaScript reads without rounding.
_MAX_NUMBER = 2**53 - 1
_SAFE = ("GET", "HEAD")


class Schema(AutoSchema):
    """With what every view of ours takes and gives, by its method and action."""

    @property
    def action(self) -> str:
        return str(getattr(self.view, "action", "") or "")

    view: Any

    @property
    def is_about_one(self) -> bool:
        return "{" in self.path

    @property
    def goes_on(self) -> bool:
        """Whether there may be work left when it responds."""
        return self.action in self.view.prefers_async

    def get_description(self) -> str:  # type: ignore[override]
        """What was said for readers; docstrings are for developers."""
        return ""

    def get_override_parameters(self) -> list[Any]:
        own: list[Any] = super().get_override_parameters()
        if self.method == "POST" and self.action not in self.view.own_repeats:
            own = [*own, _IDEMPOTENCY_KEY]
        if self.method not in _SAFE and self.is_about_one:
            own = [*own, _IF_MATCH]
        if self.action in ("list", "retrieve"):
            own = [*own, self._fields()]
        if self.goes_on:
            own = [*own, _PREFER]
        return [*own, _IF_NONE_MATCH] if self.action == "retrieve" else own

    def _fields(self) -> OpenApiParameter:
        names = shaping.names_of(self.view.get_serializer())
        return OpenApiParameter(
            shaping.PARAMETER,
            {"type": "array", "minItems": 1, "items": {"type": "string"}},
            OpenApiParameter.QUERY,
            description=shaping.DESCRIPTION,
            enum=names,
            explode=False,
            style="form",
        )

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        schema = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        # What a serializer checks of all members together.
        return {**schema, **getattr(serializer, "schema_of_all", {})}

    def _resolve_path_parameters(self, variables: Any) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]]
        parameters = super()._resolve_path_parameters(variables)  # type: ignore[no-untyped-call]
        for each in parameters:
            if _DIGITS.fullmatch(each["schema"].get("pattern", "")):
                bounds = {"minimum": 0, "maximum": _MAX_NUMBER}
                each["schema"] = {"type": "integer", **bounds}
        return parameters

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        if self.goes_on and "202" not in bodies:
            [done] = bodies.values()
            bodies["202"] = {**done, "description": "With `Prefer: respond-async`."}
        for status, body in bodies.items():
            headers = dict(self._headers(status, body))
            if headers:
                body["headers"] = {**headers, **body.get("headers", {})}
        if self.action == "retrieve":
            bodies["304"] = {"description": "The row is as in `If-None-Match`."}
        for refusal in self.refusals():
            bodies[str(refusal)] = refusal_of(refusal)
        return bodies

    def _headers(
        self, status: str, body: dict[str, Any]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        if self.action == "retrieve" or self.action in WRITES:
            yield "ETag", _response_header("Of the row as it is now, for `If-Match`.")
        contents = body.get("content", {}).values()
        is_list = any(each["schema"].get("type") == "array" for each in contents)
        if self.goes_on and status != "204":
            yield "Location", _response_header("Where to read how it goes.")
        elif status == "201" and self.method == "POST" and not is_list:
            yield "Location", _response_header("Where to read it.")
        if self.goes_on and status == "202":
            yield (
                preferences.APPLIED,
                _response_header("`respond-async`, if sent."),
            )

    def refusals(self) -> list[int]:
        """The statuses of the problem details that may come."""
        statuses = {400, 401, 403, 429, 503}
        statuses |= {*self.view.refuses.get(self.action, ())}
        is_change = self.method not in _SAFE
        if self.is_about_one:
            statuses.add(404)
        if is_change:
            statuses |= {409, 413, 415}
        if is_change and self.is_about_one:
            statuses.add(412)
        if self.method == "POST":
            statuses.add(422)
        return sorted(statuses)


def _header(name: str, description: str, pattern: str = "") -> OpenApiParameter:
    return OpenApiParameter(
        name,
        {"type": "string", **({"pattern": pattern} if pattern else {})},
        OpenApiParameter.HEADER,
        description=description,
    )


def _response_header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}


_IDEMPOTENCY_KEY = _header(
    idempotency.HEADER,
    "Any text of your own, such as a random UUID. The same request with the same key"
    " does its work once: for 24 hours it gives the first one's response again.",
    idempotency.PATTERN,
)
_IF_MATCH = _header(
    preconditions.IF_MATCH,
    "The `ETag` of the row as you read it: 412 if it was changed since.",
    '^"[!#-~]{1,100}"$',
)
_IF_NONE_MATCH = _header(
    preconditions.IF_NONE_MATCH, "An `ETag` that you have: 304 if it is still true."
)


_PREFER = _header(
    preferences.HEADER,
    "`respond-async`: 202, as workers do the work afterwards. `Location` tells how it"
    " goes.",
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
