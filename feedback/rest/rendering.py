from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework import negotiation, renderers
from rest_framework.request import Request
from rest_framework.utils import encoders

from ..models.numbers import ExactEncoder


class _Encoder(ExactEncoder, encoders.JSONEncoder):
    """As the library's, but for decimals, which it would give as texts."""


class JSONRenderer(renderers.JSONRenderer):
    encoder_class = _Encoder


class AnyAccept(negotiation.BaseContentNegotiation):
    """For what has one format at an address, whatever the caller says it prefers."""

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        return next(iter(parsers))

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[Any],
        format_suffix: str | None = None,
    ) -> tuple[Any, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type
