from __future__ import annotations

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

    def select_parser(self, request: Request, parsers: list[Any]) -> Any:
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: list[Any], format_suffix: str | None = None
    ) -> tuple[Any, str]:
        return renderers[0], renderers[0].media_type
