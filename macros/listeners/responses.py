"""What a caller gets whose call was taken."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse
from django.http.response import BadHeaderError

from ..models import Listener
from ..tags import (
    OutputContext,
    RenderContext,
    RenderError,
    Scope,
    Template,
    TemplateError,
    compile_template,
    to_text,
)
from .compiled import check_free
from .intake import RawCall
from .locations import Location
from .payloads import Payload, Unreadable

logger = logging.getLogger(__name__)

PLAIN = "text/plain; charset=utf-8"
# A challenge is some words; what is longer is something else.
MAX_CHALLENGE = 4_000

Read = Callable[[], Payload]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a listener says, and where a handshake brings its challenge."""

    status: int
    content_type: str
    text: str
    template: Template | None
    challenge: Location | None

    @classmethod
    def of(cls, listener: Listener) -> Reply:
        status = listener.response_status
        text = listener.response_body
        return cls(
            status if 200 <= status < 300 else 200,
            _content_type(listener.response_type),
            text,
            _template(text, listener.response_type) if "((" in text else None,
            _location(listener.challenge_at),
        )

    @property
    def takes_get(self) -> bool:
        """Whether a handshake may come without a body."""
        return self.challenge is not None and bool(self.challenge.member)

    def handshake(self, call: RawCall, read: Read) -> HttpResponse | None:
        """The challenge sent back as text, where the call has one."""
        if self.challenge is None:
            return None
        is_in_body = self.challenge.path is not None
        try:
            # A handshake in the query has no body that could be read.
            payload = read() if is_in_body else Payload(None, call.headers, call.query)
            value = self.challenge.value(payload)
        except Unreadable:
            return None
        text = to_text(value)
        if not text or len(text) > MAX_CHALLENGE:
            return None
        return HttpResponse(text, content_type=PLAIN)

    def response(self, read: Read, now: datetime) -> HttpResponse:
        text = self.text if self.template is None else self._rendered(read, now)
        body = b"" if self.status == 204 else text.encode(errors="replace")
        return HttpResponse(body, self.content_type, self.status)

    def _rendered(self, read: Read, now: datetime) -> str:
        """Tags that can't be filled are empty: the call was stored."""
        template = self.template
        if template is None:
            return self.text
        context = RenderContext(None, "", "", "", "", now)
        try:
            context.payload = read()
            return template.render(context)
        except (Unreadable, RenderError):
            context.payload = None
        try:
            return template.render(context)
        except RenderError:
            return ""


def _template(text: str, content_type: str) -> Template | None:
    """None where the text has faults, and is sent as it is."""
    try:
        template = compile_template(text, output_for(content_type), Scope.of())
    except TemplateError as error:
        logger.warning("The response of a listener is sent as it is: %s", error)
        return None
    try:
        check_free(template)
    except ValueError:
        logger.warning("The response of a listener has tags of a record")
        return None
    return template


def output_for(content_type: str) -> OutputContext:
    kind = content_type.partition(";")[0].strip().lower()
    if kind.endswith("json"):
        return OutputContext.JSON
    return OutputContext.XML if kind.endswith("xml") else OutputContext.TEXT


def _content_type(text: str) -> str:
    try:
        HttpResponse(content_type=text)
    except (BadHeaderError, UnicodeError):
        return PLAIN
    return text if text.strip() and text.isascii() else PLAIN


def _location(text: str) -> Location | None:
    try:
        return Location.parse(text) if text.strip() else None
    except ValueError:
        logger.warning("A listener looks for the challenge nowhere: %r is wrong", text)
        return None
