"""`{% load parts %}`: the parts of docs/design.md in templates."""

from __future__ import annotations

from django import template

from ..console import parts

register = template.Library()
register.simple_tag(parts.badge)
register.simple_tag(parts.yes_or_no)
register.simple_tag(parts.status_badge)
register.simple_tag(parts.icon)
register.simple_tag(parts.bar)
register.simple_tag(parts.moment)
register.filter(parts.ago)
