"""What a listener's form offers: rows that fit what the listener is about."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from feedback.models import ApiKey, Filter, SubjectKind

from ..models import Listener, Macro, Secret

_VIEW_KEY = "feedback.view_apikey"


def filters_for(listener: Listener) -> QuerySet[Filter]:
    """Those of its owner, and those that are the same kind's and wider."""
    owners = Q(feedback_type=None, project=None, community=listener.community)
    if listener.project_id is not None:
        owners |= Q(feedback_type=None, project=listener.project_id)
    if listener.feedback_type_id is not None:
        owners |= Q(feedback_type=listener.feedback_type_id)
    return Filter.objects.filter(owners, subject_kind=listener.subject_kind)


def macros_for(listener: Listener, user: Any, permission: str) -> QuerySet[Macro]:
    """Those that run on what it finds, where the user has the permission."""
    rows = Macro.objects.visible_to(user, permission).select_related(
        "feedback_type__project", "project", "community"
    )
    if listener.feedback_type_id is not None:
        return rows.filter(feedback_type=listener.feedback_type_id)
    if listener.subject_kind == SubjectKind.FEEDBACK:
        return rows.filter(feedback_type__project=listener.project_id)
    owners = Q(project=None, community=listener.community)
    if listener.project_id is not None:
        owners |= Q(project=listener.project_id)
    return rows.filter(owners, feedback_type=None)


def secrets_for(listener: Listener) -> QuerySet[Secret]:
    return Secret.objects.usable_in(listener.community_id, listener.project_id)


def api_keys_for(listener: Listener, user: Any, chosen: int | None) -> QuerySet[ApiKey]:
    """Those that may call listeners and that the user may see, and the chosen one."""
    seen = ApiKey.objects.visible_to(user, _VIEW_KEY).filter(scope_listener=True)
    pks = seen.values("pk")
    rows = ApiKey.objects.filter(community=listener.community_id)
    in_reach = Q(project=None) | Q(project=listener.project_id)
    return rows.filter(in_reach & Q(pk__in=pks) | Q(pk=chosen))
