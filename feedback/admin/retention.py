"""A community's page for how long things are kept, and what would go by now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from logs import audit
from logs.models import Action, RetentionPolicy
from logs.retention import (
    MAX_LOOKED_AT,
    RULES,
    Kept,
    Limits,
    Tally,
    effective,
    operators,
    own_days,
    problems,
    refusals,
    rehearse,
)
from macros.retention import TIERS

from .. import mode
from ..access.actors import may
from ..console.counting import Count
from ..console.limited import TookLonger, at_most
from ..console.scoping import ScopedAdmin
from ..models import Community

CHANGE = "feedback.change_community"
# What one query may take of those that count.
SECONDS = 1.0


class DaysForm(forms.Form):
    """An empty field is the operator's limit."""

    def __init__(self, policy: RetentionPolicy, data: Any = None) -> None:
        own = own_days(policy)
        super().__init__(data, initial={kept.value: own[kept] for kept in Kept})
        limits = operators()
        for kept in Kept:
            limit = limits[kept]
            usual = "for ever" if limit is None else f"{limit:,} days"
            self.fields[kept.value] = forms.IntegerField(
                label=kept.label,
                required=False,
                help_text=f"{RULES[kept].help} Empty: {usual}.",
            )

    @property
    def days(self) -> dict[Kept, int | None]:
        return {kept: self.cleaned_data.get(kept.value) for kept in Kept}

    def clean(self) -> None:
        for kept, why in refusals(self.days).items():
            self.add_error(kept.value, why)


@dataclass(frozen=True, slots=True)
class Line:
    """What would go of one table. `count` is None where counting took too long."""

    name: str
    kept: str
    count: Count | None
    bytes: int


class RetentionPages(ScopedAdmin[Community]):
    """The page beside a community's own."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.retention)
        return [
            path("<row:pk>/retention/", view, name="feedback_community_retention"),
            *super().get_urls(),
        ]

    def page_of(self, request: HttpRequest, obj: Community) -> dict[str, object]:
        return {"may_retain": may(request.user, CHANGE, obj)}

    def retention(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The form; what is shortened is asked once more, with what goes then."""
        community = self.row_to(request, CHANGE, pk)
        policy = _policy_of(community)
        form = DaysForm(policy, request.POST if request.method == "POST" else None)
        days = form.days if form.is_valid() else own_days(policy)
        asked = _in_words(days) if form.is_bound and form.is_valid() else ""
        if asked and (not _shortens(policy, days) or _is_confirmed(request, asked)):
            _save(community, policy, days)
            messages.success(request, f"Saved. What is older is deleted {_when()}.")
            page = reverse("admin:feedback_community_retention", args=[pk])
            return HttpResponseRedirect(page)
        context = {
            **self.admin_site.each_context(request),
            "title": f"What {community} keeps, and for how long",
            "opts": self.opts,
            "community": community,
            "form": form,
            "asked": asked,
            "when": _when(),
            "looked_at": f"{MAX_LOOKED_AT:,}",
            "lines": list(_lines(Limits(timezone.now(), {pk: days}), pk)),
            "problems": [sentence for sentence, _ in problems()],
        }
        template = "admin/feedback/community/retention.html"
        return TemplateResponse(request, template, context)


def _when() -> str:
    """From when on the clock deletes, as the end of a sentence."""
    if any(problems()):
        return "once the settings of the installation are right again"
    if not mode.is_sending():
        return "once the installation sends again"
    return "a little at a time, beginning within the hour"


def _in_words(days: Mapping[Kept, int | None]) -> str:
    return ", ".join(f"{kept}: {days[kept]}" for kept in Kept)


def _is_confirmed(request: HttpRequest, asked: str) -> bool:
    return request.POST.get("confirmed") == asked


def _shortens(policy: RetentionPolicy, days: Mapping[Kept, int | None]) -> bool:
    """Whether anything goes that would stay without."""
    now, then = effective(own_days(policy)), effective(days)
    return any(
        new is not None and (old is None or new < old)
        for old, new in ((now[kept], then[kept]) for kept in Kept)
    )


def _policy_of(community: Community) -> RetentionPolicy:
    own = RetentionPolicy.objects.filter(community=community).first()
    return own or RetentionPolicy(community=community)


@transaction.atomic
def _save(
    community: Community, policy: RetentionPolicy, days: Mapping[Kept, int | None]
) -> None:
    before = own_days(policy)
    columns = {f"{kept}_days": value for kept, value in days.items()}
    RetentionPolicy.objects.update_or_create(community=community, defaults=columns)
    changes: dict[str, list[Any]] = {
        f"Days kept: {kept.label}": [before[kept] or "", days[kept] or ""]
        for kept in Kept
        if before[kept] != days[kept]
    }
    if changes:
        audit.record(Action.CHANGED, community, changes=changes)


def _lines(limits: Limits, community: int) -> Iterator[Line]:
    tallies = _tallies(limits, community)
    for tier in TIERS:
        days = limits.days(tier.kept, community)
        kept = "for ever" if days is None else f"for {days:,} days"
        tally = tallies.get(tier.name)
        count = Count.at_least(tally.rows, tally.is_more) if tally else None
        yield Line(tier.noun, kept, count, tally.bytes if tally else 0)


def _tallies(limits: Limits, community: int) -> dict[str, Tally]:
    """Counts the oldest rows of each, up to one for which even that took too long."""
    tallies = {}
    with suppress(TookLonger), at_most(SECONDS):
        for tier in TIERS:
            *_, counted = rehearse(tier, limits, community, MAX_LOOKED_AT)
            tallies[tier.name] = counted.get(community, Tally())
    return tallies
