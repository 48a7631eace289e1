"""Whose testers a user macro runs on, as people choose it."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from feedback.access.actors import reached_wholly
from feedback.access.keys import Actor
from feedback.models import Community, FeedbackType, Project

ADD_MACRO = "macros.add_macro"
BOTH = "Choose a feedback type or testers, not both."
NEITHER = "Choose a feedback type or testers."

TesterOwner = Project | Community


def tester_owners(user: Actor, permission: str = ADD_MACRO) -> list[TesterOwner]:
    """Where the user may have user macros: each community before its projects."""
    communities = Community.objects.filter(reached_wholly(user, permission))
    projects = Project.objects.visible_to(user, permission).select_related("community")
    owners: list[TesterOwner] = [*communities, *projects]
    return sorted(owners, key=lambda owner: (community_of(owner).name, _rank(owner)))


def community_of(owner: TesterOwner) -> Community:
    return owner if isinstance(owner, Community) else owner.community


def key_of(owner: TesterOwner | FeedbackType) -> str:
    """Its name in a URL or a form."""
    return f"{owner._meta.model_name}-{owner.pk}"


def _rank(owner: TesterOwner) -> tuple[bool, str]:
    return isinstance(owner, Project), owner.name


def choices_of(owners: list[TesterOwner]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Under the name of each community."""
    return [
        (community, [(key_of(owner), _label(owner)) for owner in group])
        for community, group in groupby(owners, lambda each: community_of(each).name)
    ]


def _label(owner: TesterOwner) -> str:
    if isinstance(owner, Community):
        return f"All testers of {owner}"
    return f"Testers who submitted in {owner}"


class TestersField(forms.TypedChoiceField):
    """A Project or a Community, or None."""

    def __init__(self, owners: list[TesterOwner], **options: Any) -> None:
        self.owners = {key_of(owner): owner for owner in owners}
        options.setdefault("label", "testers of")
        super().__init__(
            choices=[("", "---------"), *choices_of(owners)],
            coerce=self.owners.__getitem__,
            empty_value=None,
            **options,
        )


def one_of(form: forms.Form | forms.ModelForm, cleaned: dict[str, object]) -> None:
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
