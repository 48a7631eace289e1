"""What a run would do, counted and shown; nothing is written or sent."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from feedback.selection.confirmed import digest_of

from ..models import Macro
from ..runs import not_run_on, nothing_left, why_refused
from ..steps.previews import Preview, preview
from .selection import Selection
from .trials import RequestSerializer

# Subjects that are named for each problem.
_NAMED = 10


class FindingSerializer(serializers.Serializer):
    """What some of the tickets or testers have in common."""

    what = serializers.CharField(help_text="A problem, or a tag without a value.")
    count = serializers.IntegerField(help_text="Of those that were looked at.")
    first = serializers.ListField(
        child=serializers.CharField(), help_text="References, or e-mail addresses."
    )


class HostSerializer(serializers.Serializer):
    host = serializers.CharField()
    requests = serializers.IntegerField()


class DryRunSerializer(serializers.Serializer):
    """What `POST /macros/ID/runs/` would do with the same body."""

    selection = serializers.CharField(help_text="What is selected, in words.")
    count = serializers.IntegerField(help_text="How many it would run on.")
    left_out = serializers.IntegerField(
        help_text="How many of the selection it has run on before, where it runs once."
    )
    blockers = serializers.ListField(
        child=serializers.CharField(),
        help_text="Why no run would start; empty if one would.",
    )
    looked_at = serializers.IntegerField(
        help_text="How many were rendered, the first ones: what follows is of those."
    )
    steps = serializers.ListField(child=serializers.CharField())
    requests = RequestSerializer(
        many=True, help_text="For the first of them, secrets masked."
    )
    hosts = HostSerializer(many=True)
    failing = FindingSerializer(many=True)
    empty_tags = FindingSerializer(many=True)
    is_guessed = serializers.BooleanField(
        help_text="A step comes after a response that is not known yet."
    )
    digest = serializers.CharField(help_text="Alike for the same tickets or testers.")


def dry_run(macro: Macro, selection: Selection) -> dict[str, Any]:
    selected, words = selection
    subjects = not_run_on(macro, selected)
    count = subjects.count()
    left_out = 0 if subjects is selected else selected.count() - count
    blockers = list(filter(None, [why_refused(macro)]))
    if not count:
        noun = macro.subject_kind.label.lower()
        none = f"No {noun} of {macro.owner} is selected."
        blockers.append(nothing_left(macro) if left_out else none)
    # A locked macro shows no more here than on its page.
    shown = Preview(count=0) if blockers else preview(macro, subjects)
    return {
        "selection": words,
        "count": count,
        "left_out": left_out,
        "blockers": blockers,
        "looked_at": shown.looked_at,
        "steps": shown.steps,
        "requests": shown.requests,
        "hosts": [
            {"host": host, "requests": number} for host, number in shown.hosts.items()
        ],
        "failing": _findings(shown.failing),
        "empty_tags": _findings(shown.empty),
        "is_guessed": shown.is_guessed,
        "digest": digest_of(subjects),
    }


def _findings(by_kind: dict[str, list[str]]) -> list[dict[str, object]]:
    return [
        {"what": what, "count": len(names), "first": names[:_NAMED]}
        for what, names in by_kind.items()
    ]
