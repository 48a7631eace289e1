"""`{% load first_steps %}`: the list of first steps on the overview."""

from __future__ import annotations

from collections.abc import Mapping

from django import template
from django.template import Context

from ..first_steps.way import is_led, way_of

register = template.Library()


@register.simple_tag(takes_context=True)
def first_steps(context: Context) -> Mapping[str, object]:
    """`way` unless it is over or put away, and `sample_count`; empty for others."""
    user = context["user"]
    way = way_of(user) if is_led(user) else None
    if way is None or way.is_put_away:
        return {}
    shown: dict[str, object] = {"sample_count": way.sample_count}
    return shown | ({"way": way} if way.next is not None else {})
