from __future__ import annotations

from rest_framework import renderers
from rest_framework.utils import encoders

from ..models.numbers import ExactEncoder


class _Encoder(ExactEncoder, encoders.JSONEncoder):
    """As the library's, but for decimals, which it would give as texts."""


class JSONRenderer(renderers.JSONRenderer):
    encoder_class = _Encoder
