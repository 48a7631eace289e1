"""What a macro would do with one subject, in JSON; and the request of a test."""

from __future__ import annotations

from rest_framework import serializers

from feedback.access.keys import Actor
from feedback.rest.asked import AskedSerializer
from feedback.rest.problems import Problem, in_body, invalid
from feedback.rest.serializers import RowNumber, Truth

from ..models import Macro
from ..runs import subjects_of
from ..steps.dry_run import Subject
from ..steps.kinds.web_request import WebRequest

_ABOUT_SUBJECT = "Number of a ticket, or for a user macro of a tester."


class SubjectSerializer(AskedSerializer):
    subject = RowNumber(help_text=_ABOUT_SUBJECT)


class TestSerializer(AskedSerializer):
    """Which web request is sent, for whom and where to."""

    subject = RowNumber(help_text=_ABOUT_SUBJECT)
    step = serializers.IntegerField(
        min_value=1,
        max_value=1_000,
        default=1,
        help_text="Which of the macro's web requests, counted from 1.",
    )
    to = serializers.ChoiceField(
        choices=[("echo", "The built-in echo"), ("real", "The real destination")],
        default="echo",
        help_text="`echo`: nothing is sent, the request comes back as its response.",
    )
    store = Truth(
        default=False,
        help_text="Store return values; else the delivery only says what they are.",
    )


class RequestSerializer(serializers.Serializer):
    """A request as it would be sent, its secrets masked."""

    title = serializers.CharField()
    method = serializers.CharField()
    url = serializers.CharField()
    headers = serializers.CharField()
    body = serializers.CharField()
    curl = serializers.CharField(help_text="The same for a shell.")
    error = serializers.CharField(help_text="Why it can't be built, or empty.")


class MacroPreviewSerializer(serializers.Serializer):
    """What a macro would do with one ticket or tester; nothing is done."""

    steps = serializers.ListField(child=serializers.CharField())
    requests = RequestSerializer(many=True)
    changes = serializers.ListField(
        child=serializers.CharField(), help_text="What each step would do, in words."
    )
    empty_tags = serializers.ListField(
        child=serializers.CharField(), help_text="Tags that have no value here."
    )
    problem = serializers.CharField(help_text="Why it would stop, or empty.")
    is_guessed = serializers.BooleanField(
        help_text="A step comes after a response that is not known yet."
    )


class ValidSerializer(serializers.Serializer):
    """What saving would do; nothing is saved."""

    steps = serializers.ListField(child=serializers.CharField())
    changes = serializers.ListField(
        child=serializers.CharField(), help_text="What would differ from before."
    )


def subject_in(number: int, macro: Macro, actor: Actor) -> Subject:
    """A subject of the macro that the actor sees. Raises Problem."""
    rows = subjects_of(macro).visible_to(actor)
    subject: Subject | None = rows.filter(pk=number).first()
    if subject is None:
        noun = macro.subject_kind.label.lower()
        problem = f"There is no {noun} {number} of {macro.owner}."
        raise invalid([in_body(["subject"], problem)])
    return subject


def request_in(number: int, macro: Macro) -> WebRequest:
    """Raises Problem."""
    steps = WebRequest.objects.filter(macro=macro).order_by("position", "pk")
    step = steps[number - 1 : number].first() if number else None
    if step is None:
        count = steps.count()
        problem = f"The macro has {count} web request{'' if count == 1 else 's'}."
        raise invalid([in_body(["step"], problem)])
    step.macro = macro
    return step


def refused(sentence: str) -> Problem:
    return Problem(409, "run_refused", sentence)
