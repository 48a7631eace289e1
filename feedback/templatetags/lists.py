"""`{% load lists %}`: the bars and rows of lists."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from ..console import bars
from ..console.preferences import DENSITY, preference

register = template.Library()
register.simple_tag(bars.actions, name="list_actions")
register.filter("labelled", bars.labelled)


@register.simple_tag(takes_context=True)
def chips(context: Context, changelist: Any) -> list[bars.Chip]:
    return bars.chips(context["request"], changelist)


@register.simple_tag(takes_context=True)
def is_compact(context: Context) -> bool:
    """Whether the person likes the rows of lists close together."""
    return bool(preference(context["request"].user, DENSITY) == "compact")


@register.filter
def at(values: Any, key: object) -> object:
    """What a mapping has under a key; nothing where there is no mapping."""
    return values.get(key, "") if isinstance(values, dict) else ""
