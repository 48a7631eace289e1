"""How the log shows what others have sent."""

from __future__ import annotations

from django import template

from ..console import wire
from ..recording import explanations

register = template.Library()
register.filter(wire.visible)


@register.filter
def error_label(error_class: str) -> str:
    return explanations.error_label(error_class)
