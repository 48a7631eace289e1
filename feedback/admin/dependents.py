"""What stops working without an API key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Max, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.template.defaultfilters import pluralize
from django.utils import timezone

from macros.models import Listener, Macro
from macros.models.usage import macros_needing_key
from macros.models.usage_by_listeners import listeners_needing_key

from ..models import ApiKey

LOOKED_BACK = timedelta(days=30)
MAX_CALLERS = 50
_OWNERS = ("feedback_type__project", "project", "community")


@dataclass(frozen=True, slots=True)
class Dependents:
    """Who calls with a key, and the macros and listeners that stop without it."""

    # Each with address, calls, days and last.
    callers: list[dict[str, Any]]
    macros: list[Macro]
    # Those that take this key alone, and those that are left without any.
    bound: list[Listener]
    deserted: list[Listener]

    def in_words(self) -> list[str]:
        sentences = [
            f"{each['address'] or 'An unknown address'} uses it: {each['calls']:,}"
            f" call{pluralize(each['calls'])} in the last {LOOKED_BACK.days} days,"
            f" the last on {timezone.localtime(each['last']):%d %b %Y, %H:%M}."
            for each in self.callers
        ]
        sentences += [
            f"Macro {macro} ({macro.runs_on}) is then locked, as the community"
            " has no other valid key."
            for macro in self.macros
        ]
        # A key that a listener names can't be deleted: nothing is said of those here.
        sentences += [
            f"Listener {each} ({each.owner}) takes any key with the scope listener, and"
            " the community has no other: every call is refused then."
            for each in self.deserted
        ]
        return sentences or ["Nobody has used it lately, and nothing else needs it."]


def dependents_of(key: ApiKey, going: list[ApiKey] | None = None) -> Dependents:
    """Who used the key lately, and what is locked without it and those that go too."""
    since = timezone.now() - LOOKED_BACK
    callers = (
        key.uses.accepted()
        .filter(last_at__gte=since)
        .order_by()
        .values("address")
        .annotate(
            calls=Sum("count"),
            days=Count(TruncDate("hour"), distinct=True),
            last=Max("last_at"),
        )
        .order_by("-last")[:MAX_CALLERS]
    )
    going = going or [key]
    locked = _locked_without(key, going)
    bound = Listener.objects.filter(checks__api_key=key).distinct()
    return Dependents(
        [dict(each) for each in callers],
        list(locked),
        list(bound.select_related(*_OWNERS)),
        list(_deserted_without(key, going).select_related(*_OWNERS)),
    )


def _locked_without(key: ApiKey, going: list[ApiKey]) -> QuerySet[Macro]:
    valid = ApiKey.objects.valid().filter(community=key.community_id)
    left = valid.exclude(pk__in=[each.pk for each in going])
    if left.exists() or not valid.exists():
        return Macro.objects.none()
    macros = macros_needing_key(key.community_id)
    return macros.select_related("feedback_type__project", "project", "community")


def _deserted_without(key: ApiKey, going: list[ApiKey]) -> QuerySet[Listener]:
    """The listeners that any key opens, where these are the last that do."""
    valid = ApiKey.objects.valid().filter(
        community=key.community_id, scope_listener=True
    )
    left = valid.exclude(pk__in=[each.pk for each in going])
    if left.exists() or not valid.filter(pk=key.pk).exists():
        return Listener.objects.none()
    return listeners_needing_key(key.community_id)
