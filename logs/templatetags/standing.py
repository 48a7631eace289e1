"""`{% load standing %}`: how runs and deliveries stand, in templates."""

from __future__ import annotations

from django import template

from .. import console

register = template.Library()
register.simple_tag(console.run_badge)
register.simple_tag(console.run_bar)
register.simple_tag(console.delivery_badge)
register.simple_tag(console.code_badge)
register.simple_tag(console.test_badge)
