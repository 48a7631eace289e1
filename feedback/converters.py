from __future__ import annotations

from django.urls import register_converter
from django.urls.converters import IntConverter

from .texts import NUMBER


class RowConverter(IntConverter):
    """`<row:pk>`: a number that every database can look up. Others are not found."""

    regex = NUMBER.pattern


def register() -> None:
    register_converter(RowConverter, "row")
