"""`{% load tickets %}`: what stands on a ticket's page."""

from __future__ import annotations

from django import template

from ..console import conversation

register = template.Library()
register.filter(conversation.signature)
register.filter(conversation.described)
