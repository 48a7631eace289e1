"""The methods and bodies that a web request may have."""

from __future__ import annotations

from django.db import models

from ....tags import OutputContext


class Method(models.TextChoices):
    GET = "GET", "GET"
    POST = "POST", "POST"
    PUT = "PUT", "PUT"
    PATCH = "PATCH", "PATCH"
    DELETE = "DELETE", "DELETE"


class BodyKind(models.TextChoices):
    JSON = "json", "JSON"
    FORM = "form", "Form (name=value, one per line)"
    TEXT = "text", "Text"
    XML = "xml", "XML"
    MULTIPART = "multipart", "Multipart, with the ticket's attachments"
    NONE = "none", "None"


# How a body is escaped, and the content type it is sent with unless a header says
# otherwise.
BODY_CONTEXTS: dict[str, tuple[OutputContext, str]] = {
    BodyKind.JSON: (OutputContext.JSON, "application/json"),
    BodyKind.FORM: (OutputContext.FORM, "application/x-www-form-urlencoded"),
    BodyKind.MULTIPART: (OutputContext.FORM, "multipart/form-data"),
    BodyKind.TEXT: (OutputContext.TEXT, "text/plain; charset=utf-8"),
    BodyKind.XML: (OutputContext.XML, "application/xml; charset=utf-8"),
}
