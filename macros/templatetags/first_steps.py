"""`{% load first_steps %}`: the list of first steps on the overview."""

from __future__ import annotations

from collections.abc import Mapping

from django import template
from django.template import Context

from ..first_steps.samples import count_samples
from ..first_steps.way import is_led, is_put_away, way_of

register = template.Library()


@register.simple_tag(takes_context=True)
def first_steps(context: Context) -> Mapping[str, object]:
    """`way` unless it is over or put away, and `sample_count`; empty for others."""
    user = context["user"]
    if not is_led(user) or is_put_away(user):
        return {}
    way = way_of(user)
    shown: dict[str, object] = {"sample_count": count_samples(user)}
    if way.next is not None:
        shown["way"] = way
    return shown
