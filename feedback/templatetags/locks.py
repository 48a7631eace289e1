"""`{% load locks %}`: what is locked, said before anything is typed."""

from __future__ import annotations

from typing import Any

from django import template
from django.db.models import Q
from django.template import Context

from ..access.unlocking import explain_lock
from ..models import ApiKey, Community, Project

register = template.Library()
# More than anybody reads at the top of a page.
MOST = 3


@register.inclusion_tag("admin/feedback/apikey/locks.html", takes_context=True)
def locked_communities(context: Context, permission: str) -> dict[str, Any]:
    """Those without a valid key in which, or in a project of which, one may do it."""
    user = context["request"].user
    valid = ApiKey.objects.valid().values("community")
    projects = Project.objects.visible_to(user, permission).values("community")
    wholly = Community.objects.visible_to(user, permission).values("pk")
    rows = Community.objects.filter(Q(pk__in=projects) | Q(pk__in=wholly))
    locked = rows.exclude(pk__in=valid).order_by("name")[:MOST]
    return {
        "locks": [explain_lock(each, user) for each in locked],
        "request": context["request"],
        "csrf_token": context.get("csrf_token"),
    }
