"""How far a person has come, and what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery, TextChoices
from django.db.models.functions import Coalesce

from feedback.access.actors import is_above_roles, reached_wholly
from feedback.access.roles import RUN_MACRO
from feedback.console.preferences import prefer
from feedback.models import (
    ApiKey,
    Community,
    Feedback,
    FeedbackType,
    Preference,
    Project,
)
from logs.models import Cause, Delivery, Run

from ..models import Macro
from ..steps.kinds.web_request import WebRequest
from .samples import removable_samples

Person = User | AnonymousUser

_PREFERENCE, _AWAY = "first_steps", "away"
_ADD_TYPE = "feedback.add_feedbacktype"
_ADD_MACRO = "macros.add_macro"
# Tickets that the first run is on, at most.
MAX_TICKETS = 5


class FirstStep(TextChoices):
    COMMUNITY = "community", "Name your community"
    KEY = "key", "Create an API key"
    PROJECT = "project", "Name your project"
    TYPE = "type", "Choose what you collect"
    TICKETS = "tickets", "Get the first tickets"
    MACRO = "macro", "Choose where to send them"
    TEST = "test", "Try it without sending"
    PERFORM = "perform", "Send the first message"


# What must be there before. The test may be left out.
_NEEDS = {
    FirstStep.KEY: [FirstStep.COMMUNITY],
    FirstStep.PROJECT: [FirstStep.COMMUNITY],
    FirstStep.TYPE: [FirstStep.PROJECT],
    FirstStep.TICKETS: [FirstStep.TYPE],
    FirstStep.MACRO: [FirstStep.TYPE],
    FirstStep.TEST: [FirstStep.MACRO, FirstStep.TICKETS],
    FirstStep.PERFORM: [FirstStep.MACRO, FirstStep.TICKETS],
}
# What a person must be allowed to do somewhere, for the step to concern them.
_PERMISSIONS = {
    FirstStep.COMMUNITY: "feedback.add_community",
    FirstStep.KEY: "feedback.add_apikey",
    FirstStep.PROJECT: "feedback.add_project",
    FirstStep.TYPE: _ADD_TYPE,
    FirstStep.TICKETS: "feedback.add_feedback",
    FirstStep.MACRO: _ADD_MACRO,
    FirstStep.TEST: RUN_MACRO,
    FirstStep.PERFORM: RUN_MACRO,
}


@dataclass
class Way:
    """Where a person's rows have come furthest, from the macro upwards."""

    actor: Person
    community: Community | None
    project: Project | None
    kind: FeedbackType | None
    macro: Macro | None
    # What `_asked` asks for.
    facts: Mapping[str, Any]
    # What is there without a row of its own to be looked at.
    noted: Mapping[FirstStep, bool]

    @property
    def is_finished(self) -> bool:
        return bool(self.facts["is_finished"])

    @property
    def is_put_away(self) -> bool:
        return bool(self.facts["is_put_away"])

    @property
    def sample_count(self) -> int:
        return int(self.facts["sample_count"])

    @cached_property
    def done(self) -> set[FirstStep]:
        return {step for step in FirstStep if self.is_finished or self._is_done(step)}

    def _is_done(self, step: FirstStep) -> bool:
        reached = {
            FirstStep.COMMUNITY: self.community,
            FirstStep.PROJECT: self.project,
            FirstStep.TYPE: self.kind,
            FirstStep.MACRO: self.macro,
        }
        return self.noted.get(step, False) or reached.get(step) is not None

    @cached_property
    def steps(self) -> list[FirstStep]:
        """Those that concern the person, in their order."""
        return [each for each in FirstStep if self.actor.has_perm(_PERMISSIONS[each])]

    def is_open(self, step: FirstStep) -> bool:
        """Whether all is there that the step needs."""
        return all(self._is_done(need) for need in _NEEDS.get(step, ()))

    @property
    def next(self) -> FirstStep | None:
        return next((each for each in self.steps if each not in self.done), None)

    @property
    def rows(self) -> list[tuple[FirstStep, bool]]:
        return [(each, each in self.done) for each in self.steps]

    @property
    def done_count(self) -> int:
        return len(self.done.intersection(self.steps))

    @property
    def tickets(self) -> QuerySet[Feedback]:
        """The newest tickets of the type."""
        return Feedback.objects.filter(feedback_type=self.kind).order_by("-pk")

    @property
    def first_tickets(self) -> QuerySet[Feedback]:
        newest = list(self.tickets.values_list("pk", flat=True)[:MAX_TICKETS])
        return Feedback.objects.filter(pk__in=newest)

    @property
    def request(self) -> WebRequest | None:
        """The macro's first web request."""
        rows = WebRequest.objects.filter(macro=self.macro)
        return rows.order_by("position", "pk").first()

    def _tests(self) -> QuerySet[Run]:
        return Run.objects.filter(macro=self.macro, cause=Cause.TEST)

    @property
    def last_test(self) -> Delivery | None:
        rows = Delivery.objects.filter(run__in=self._tests()).select_related("run")
        return rows.order_by("-pk").first()


def way_of(actor: Person) -> Way:
    """One query where there is a macro: the overview asks each time."""
    asked = _asked(actor)
    requests = WebRequest.objects.filter(macro=OuterRef("pk"))
    keys = ApiKey.objects.valid().filter(community=OuterRef("community"))
    tickets = Feedback.objects.filter(feedback_type=OuterRef("feedback_type"))
    tests = Run.objects.filter(macro=OuterRef("pk"), cause=Cause.TEST, delivered__gt=0)
    macro = (
        Macro.objects.visible_to(actor, _ADD_MACRO)
        .filter(Exists(requests), feedback_type__isnull=False)
        .select_related("feedback_type__project__community")
        .annotate(unlocked=Exists(keys), reported=Exists(tickets))
        .annotate(tested=Exists(tests), **asked)
        .order_by("pk")
        .first()
    )
    if macro is None or macro.feedback_type is None:
        return _without_macro(actor, asked)
    kind, facts = macro.feedback_type, vars(macro)
    return Way(
        actor,
        kind.project.community,
        kind.project,
        kind,
        macro,
        facts,
        {
            FirstStep.KEY: facts["unlocked"],
            FirstStep.TICKETS: facts["reported"],
            FirstStep.TEST: facts["tested"],
        },
    )


def _asked(actor: Person) -> dict[str, Exists | Coalesce]:
    """Whatever the macro is."""
    performed = Run.objects.visible_to(actor).filter(
        cause=Cause.ACTION, delivered__gt=0
    )
    away = Preference.objects.filter(user=actor.pk, name=_PREFERENCE, value=_AWAY)
    samples = removable_samples(actor).order_by().values("is_sample")
    count = samples.annotate(count=Count("pk")).values("count")
    return {
        "is_finished": Exists(performed),
        "is_put_away": Exists(away),
        "sample_count": Coalesce(Subquery(count), 0),
    }


def _without_macro(actor: Person, asked: Mapping[str, Exists | Coalesce]) -> Way:
    kind = _first_type(actor)
    project = kind.project if kind else _first_project(actor)
    community = project.community if project else _first_community(actor)
    facts = User.objects.filter(pk=actor.pk or 0).values(**asked).get()
    noted = {
        FirstStep.KEY: community is not None and community.is_unlocked(),
        FirstStep.TICKETS: Feedback.objects.filter(feedback_type=kind).exists(),
    }
    return Way(actor, community, project, kind, None, facts, noted)


def _first_type(actor: Person) -> FeedbackType | None:
    rows = FeedbackType.objects.visible_to(actor, _ADD_MACRO)
    rows = rows.filter(deleting_since=None, project__deleting_since=None)
    return rows.select_related("project__community").order_by("pk").first()


def _first_project(actor: Person) -> Project | None:
    rows = Project.objects.visible_to(actor, _ADD_TYPE)
    rows = rows.filter(deleting_since=None, community__deleting_since=None)
    return rows.select_related("community").order_by("is_template", "pk").first()


def _first_community(actor: Person) -> Community | None:
    rows = Community.objects.filter(reached_wholly(actor, "feedback.add_project"))
    return rows.filter(deleting_since=None).order_by("pk").first()


def is_led(actor: Person) -> bool:
    """Whether the first steps are for this person at all: whoever may add types."""
    return is_above_roles(actor) or bool(actor.has_perm(_ADD_TYPE))


def put_away(actor: User, *, away: bool) -> None:
    prefer(actor, _PREFERENCE, _AWAY if away else None)
