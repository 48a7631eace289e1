"""Whose testers a user macro runs on, as people choose it."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from feedback.access.actors import reached_wholly
from feedback.models import Community, FeedbackType, Project

ADD_MACRO = "macros.add_macro"
BOTH = "Choose a feedback type or testers, not both."
NEITHER = "Choose a feedback type or testers."

OutputContext = Project | Community


def tester_places(user: Any, permission: str = ADD_MACRO) -> list[OutputContext]:
    """Where the user may have user macros: each community before its projects."""
    communities = Community.objects.filter(reached_wholly(user, permission))
    projects = Project.objects.visible_to(user, permission).select_related("community")
    found: list[OutputContext] = [*communities, *projects]
    return sorted(found, key=lambda place: (community_of(place).name, _rank(place)))


def community_of(place: OutputContext) -> Community:
    return place if isinstance(place, Community) else place.community


def key_of(place: OutputContext | FeedbackType) -> str:
    """What it is called in an address or a form."""
    return f"{place._meta.model_name}-{place.pk}"


def _rank(place: OutputContext) -> tuple[bool, str]:
    return isinstance(place, Project), place.name


def choices_of(places: list[OutputContext]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Under the name of each community."""
    return [
        (community, [(key_of(place), _label(place)) for place in found])
        for community, found in groupby(places, lambda each: community_of(each).name)
    ]


def _label(place: OutputContext) -> str:
    if isinstance(place, Community):
        return f"All testers of {place}"
    return f"Testers who submitted in {place}"


class TestersField(forms.TypedChoiceField):
    """A Project or a Community, or None."""

    def __init__(self, places: list[OutputContext], **options: Any) -> None:
        self.places = {key_of(place): place for place in places}
        options.setdefault("label", "testers of")
        super().__init__(
            choices=[("", "---------"), *choices_of(places)],
            coerce=self.places.__getitem__,
            empty_value=None,
            **options,
        )


def one_of(form: forms.Form | forms.ModelForm, cleaned: dict[str, Any]) -> None:
    """Refuse a form that names both a feedback type and testers, or neither."""
    if "testers_of" not in form.fields or "feedback_type" not in form.fields:
        return
    if {"testers_of", "feedback_type"} & set(form.errors):
        return
    chosen = [cleaned.get(name) for name in ("feedback_type", "testers_of")]
    if all(chosen):
        form.add_error("testers_of", ValidationError(BOTH))
    elif not any(chosen):
        form.add_error("feedback_type", ValidationError(NEITHER))
