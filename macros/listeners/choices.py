"""What a listener may name: rows that fit what the listener is about."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from feedback.access.keys import Actor
from feedback.models import ApiKey, Filter, SubjectKind

from ..models import Listener, Macro, Secret


def _fitting(listener: Listener) -> Q:
    """Rows of its owner, and those that are wider or narrower, but not beside it."""
    owners = Q(community=listener.community_id)
    if listener.project_id is not None:
        owners &= Q(project=None) | Q(project=listener.project_id)
    if listener.feedback_type_id is not None:
        owners &= Q(feedback_type=None) | Q(feedback_type=listener.feedback_type_id)
    return owners


def filters_for(listener: Listener, seen: QuerySet[Filter]) -> QuerySet[Filter]:
    """Those that a person sees, and the chosen one."""
    own = seen.filter(_fitting(listener), subject_kind=listener.subject_kind)
    pks = Q(pk__in=own.values("pk")) | Q(pk=listener.filter_id)
    return Filter.objects.filter(pks)


def macros_for(listener: Listener, user: Actor, permission: str) -> QuerySet[Macro]:
    """Those that run on what it finds, where the user has the permission."""
    related = ("feedback_type__project", "project", "community")
    rows = Macro.objects.visible_to(user, permission).select_related(*related)
    is_tester = listener.subject_kind == SubjectKind.TESTER
    return rows.filter(_fitting(listener), feedback_type__isnull=is_tester)


def secrets_for(
    listener: Listener, user: Actor, chosen: int | None
) -> QuerySet[Secret]:
    """Those that the user may see, and the chosen one."""
    rows = Secret.objects.usable_in(listener.community_id, listener.project_id)
    seen = Secret.objects.visible_to(user).values("pk")
    return rows.filter(Q(pk__in=seen) | Q(pk=chosen))


def api_keys_for(
    listener: Listener, user: Actor, chosen: int | None
) -> QuerySet[ApiKey]:
    """Those for listeners that the user may see, and the chosen one."""
    rows = ApiKey.objects.filter(community=listener.community_id)
    rows = rows.filter(Q(project=None) | Q(project=listener.project_id))
    seen = ApiKey.objects.visible_to(user).filter(scope_listener=True).values("pk")
    return rows.filter(Q(pk__in=seen) | Q(pk=chosen))
