"""How far a person has come, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Exists, OuterRef, QuerySet, TextChoices

from feedback.access.actors import is_above_roles, reached_wholly
from feedback.access.roles import RUN_MACRO
from feedback.console.preferences import prefer, preference
from feedback.models import Community, Feedback, FeedbackType, Project
from logs.models import Cause, Delivery, Run

from ..models import Macro
from ..steps.kinds.web_request import WebRequest

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
    is_finished: bool

    @cached_property
    def done(self) -> set[FirstStep]:
        return {step for step in FirstStep if self.is_finished or self._is_done(step)}

    def _is_done(self, step: FirstStep) -> bool:
        if step == FirstStep.KEY:
            return self.community is not None and self.community.is_unlocked()
        if step == FirstStep.TICKETS:
            return self.tickets.exists()
        if step == FirstStep.TEST:
            return bool(self.macro) and self._tests().filter(delivered__gt=0).exists()
        reached = {
            FirstStep.COMMUNITY: self.community,
            FirstStep.PROJECT: self.project,
            FirstStep.TYPE: self.kind,
            FirstStep.MACRO: self.macro,
        }
        return reached.get(step) is not None

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
    requests = WebRequest.objects.filter(macro=OuterRef("pk"))
    macro = (
        Macro.objects.visible_to(actor, _ADD_MACRO)
        .filter(Exists(requests), feedback_type__isnull=False)
        .select_related("feedback_type__project__community")
        .order_by("pk")
        .first()
    )
    kind = macro.feedback_type if macro else _first_type(actor)
    project = kind.project if kind else _first_project(actor)
    community = project.community if project else _first_community(actor)
    return Way(actor, community, project, kind, macro, _has_performed(actor))


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


def _has_performed(actor: Person) -> bool:
    runs = Run.objects.visible_to(actor).filter(cause=Cause.ACTION, delivered__gt=0)
    return bool(runs.exists())


def is_led(actor: Person) -> bool:
    """Whether the first steps are for this person at all: whoever may add types."""
    return is_above_roles(actor) or bool(actor.has_perm(_ADD_TYPE))


def is_put_away(actor: Person) -> bool:
    return bool(preference(actor, _PREFERENCE) == _AWAY)


def put_away(actor: User, *, away: bool) -> None:
    prefer(actor, _PREFERENCE, _AWAY if away else None)
