"""`{% load paging %}`: the pages of a list."""

from __future__ import annotations

from django import template
from django.contrib.admin.views.main import PAGE_VAR, ChangeList

register = template.Library()


@register.simple_tag
def page_url(changelist: ChangeList, page: str) -> str:
    return changelist.get_query_string({PAGE_VAR: page})
