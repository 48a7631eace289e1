"""What uses a row: asked before it is changed or deleted.

Filters speak of statuses, questions, types and projects in their conditions; triggers
wait for statuses and questions; steps refer to them by a foreign key or by a tag,
listeners by their names, and data packages and record lookups by their columns.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q, QuerySet

from feedback.forms import PREFIX
from feedback.models import (
    DataPackage,
    FeedbackType,
    Filter,
    FormField,
    Project,
    RecordLookup,
    Status,
)
from feedback.names import fold
from feedback.packages.columns import type_of
from feedback.selection.answers import answer_field
from feedback.selection.compiler import condition_of
from feedback.selection.qualifiers import Qualifier
from feedback.selection.shared import Condition, conditions_in, values_of
from logs.models import Destination

from ..tags import normalise
from .automations import Automation
from .macros import Macro
from .secrets import Secret
from .steps import Step, step_kinds
from .triggers import Trigger
from .usage_by_listeners import (
    FIELD_TAG,
    User,
    listeners_naming,
    listeners_setting,
    listeners_using,
)

__all__ = [
    "User",
    "destinations_using",
    "macros_needing_key",
    "macros_using",
    "users_of",
    "users_of_choice",
    "users_of_kind",
    "users_of_label",
]

# Whether a condition speaks of what is asked about.
Test = Callable[[Condition], bool]
_STATUSES = ("from_status", "to_status")


def macros_using(secret: Secret) -> list[Macro]:
    """Those it is given to, by their templates as they are saved.

    They are searched and not compiled, so that one with a fault counts too. A
    project's own secret of the same name hides the community's.
    """
    users: set[Macro] = set()
    kinds = [kind for kind in step_kinds().values() if kind.may_use_secrets()]
    for kind in kinds:
        steps = kind._default_manager.filter(macro__community=secret.community_id)
        steps = steps.select_related("macro__feedback_type", "macro__project")
        if secret.project_id is not None:
            steps = steps.filter(macro__project=secret.project_id)
        else:
            steps = steps.exclude(macro__project__in=_hidden_from(secret))
        users |= {
            step.macro
            for step in steps
            if secret.key in step.secrets_in(step.settings())
        }
    return sorted(users, key=lambda macro: (macro.name, macro.pk))


def destinations_using(secret: Secret) -> list[Destination]:
    """Those whose client certificate's key it is; only a community's own can be."""
    if secret.project_id is not None:
        return []
    rows = Destination.objects.filter(community=secret.community_id)
    rows = rows.exclude(client_key_secret="")
    return [row for row in rows if normalise(row.client_key_secret) == secret.key]


def users_of(row: models.Model) -> list[User]:
    """What needs the row, and how it is named to people: each once."""
    users: list[User] = []
    if isinstance(row, Secret):
        users = [(each, f"Macro {each} ({each.owner})") for each in macros_using(row)]
        users += ((each, f"Destination {each}") for each in destinations_using(row))
    elif isinstance(row, Filter | Macro):
        users = [*map(_automation, [*row.triggers.all(), *row.schedules.all()])]
        if isinstance(row, Filter):
            users += map(_outbound, row.packages.all())
    elif isinstance(row, Status):
        users = _users_of_status(row)
    elif isinstance(row, FormField):
        users = _users_of_question(row)
    elif isinstance(row, FeedbackType | Project):
        users = _users_of_owner(row)
    return list(dict.fromkeys([*users, *listeners_using(row)]))


def users_of_choice(question: FormField, choice: str) -> list[User]:
    """Those for whom the question stays, but not this choice."""
    name, wanted = PREFIX + question.key, fold(choice)

    def speaks(condition: Condition) -> bool:
        texts = (each for each in values_of(condition) if isinstance(each, str))
        return condition.get("field") == name and wanted in map(fold, texts)

    steps = [
        step
        for step in _referring(question)
        if wanted in (fold(each.strip()) for each in _value(step).splitlines())
    ]
    users = [*_filters(question.feedback_type, speaks), *map(_macro, steps)]
    return list(dict.fromkeys([*users, *listeners_setting(question, choice)]))


def _value(step: Step) -> str:
    return str(step.settings().get("value", ""))


def users_of_label(question: FormField) -> list[User]:
    """Those whose tags name the question by its label."""
    steps = _tagging(question.feedback_type, {normalise(question.label)})
    users = [*map(_macro, steps), *listeners_naming(question)]
    return list(dict.fromkeys(users))


def _users_of_status(status: Status) -> list[User]:
    def speaks(condition: Condition) -> bool:
        return condition.get("field") == "status" and status.pk in values_of(condition)

    waiting = [
        trigger
        for trigger in _triggers(status.feedback_type)
        if status.pk in map(trigger.event_details.get, _STATUSES)
    ]
    return [
        *_filters(status.feedback_type, speaks),
        *map(_automation, waiting),
        *map(_macro, _referring(status)),
    ]


def _users_of_question(question: FormField) -> list[User]:
    of = question.feedback_type

    def speaks(condition: Condition) -> bool:
        return condition.get("field") == PREFIX + question.key

    waiting = [
        trigger
        for trigger in _triggers(of)
        if trigger.event_details.get("field") == question.key
    ]
    names = {normalise(question.label), normalise(question.key)}
    steps = [*_referring(question), *_tagging(of, names)]
    return [
        *_filters(of, speaks),
        *map(_automation, waiting),
        *map(_macro, steps),
        *map(_outbound, _giving(question)),
    ]


def _giving(question: FormField) -> Iterator[DataPackage | RecordLookup]:
    """What gives out its answers, among those of wider owners."""
    of = question.feedback_type
    community, project = of.project.community_id, of.project_id
    owned = Q(feedback_type=of) | Q(feedback_type=None, project=project)
    owned |= Q(project=None, community=community)
    for model in (DataPackage, RecordLookup):
        for row in model._default_manager.filter(owned):
            names = (each["name"] for each in row.columns)
            if PREFIX + question.key in names:
                yield row


def _users_of_owner(owner: FeedbackType | Project) -> list[User]:
    """The filters of wider owners that speak of it: its own go with it."""
    if isinstance(owner, Project):
        name, wider = "project", Q(project=None, community=owner.community_id)
    else:
        name, wider = "type", Q(feedback_type=None, project=owner.project_id)

    def speaks(condition: Condition) -> bool:
        return condition.get("field") == name and owner.pk in values_of(condition)

    return [*_speaking(Filter.objects.filter(wider), speaks)]


def _filters(of: FeedbackType, speaks: Test) -> Iterator[User]:
    """Those that may speak of the type's statuses and questions, and do."""
    of_project = Q(feedback_type=None, project=of.project_id)
    yield from _speaking(
        Filter.objects.filter(Q(feedback_type=of) | of_project), speaks
    )


def _speaking(rows: Iterable[Filter], speaks: Test) -> Iterator[User]:
    """The filters of which a condition speaks so, each with what selects by it."""
    for row in rows:
        if any(map(speaks, conditions_in(row.conditions))):
            yield row, f"Filter {row}"
            yield from (
                (user, f"{words}, by the filter {row}") for user, words in users_of(row)
            )


def _triggers(of: FeedbackType) -> Iterable[Trigger]:
    return Trigger.objects.filter(macro__feedback_type=of).select_related("macro")


def _referring(row: Status | FormField) -> Iterator[Step]:
    """The steps of whatever kind that refer to the row by a foreign key."""
    for kind in step_kinds().values():
        for name in kind.NAMED_BY:
            if kind._meta.get_field(name).related_model is type(row):
                rows = kind._default_manager.filter(**{name: row})
                yield from rows.select_related("macro")


def _tagging(of: FeedbackType, names: Collection[str]) -> Iterator[Step]:
    """The steps in whose templates a question of these names stands as a tag."""
    for macro in Macro.objects.filter(feedback_type=of):
        for step in macro.concrete_steps():
            texts = map(str, step.settings().values())
            tags = (tag for text in texts for tag in FIELD_TAG.finditer(text))
            if any(normalise(tag[1]) in names for tag in tags):
                step.macro = macro
                yield step


def _automation(row: Automation) -> User:
    noun = str(row._meta.verbose_name).capitalize()
    return row, f"{noun} {row} of {row.macro}"


def users_of_kind(before: FormField, after: FormField) -> list[User]:
    """Those who take answers of the kind that the question had, and of no other."""
    name = PREFIX + before.key
    field = answer_field(name, [after], is_only_type=True)

    def speaks(condition: Condition) -> bool:
        if condition.get("field") != name:
            return False
        try:
            qualifier = Qualifier(str(condition.get("qualifier")))
            if qualifier in field.qualifiers:
                condition_of(field, qualifier, condition.get("value"), UTC)
                return False
        except (ValueError, ValidationError):
            pass
        return True

    kept = {"name": name, "type": str(type_of(before))}
    lost = [] if type_of(before) == type_of(after) else _giving(before)
    outbound = (row for row in lost if kept in row.columns)
    return [*_filters(before.feedback_type, speaks), *map(_outbound, outbound)]


def _outbound(row: DataPackage | RecordLookup) -> User:
    return row, f"{str(row._meta.verbose_name).capitalize()} {row}"


def _macro(step: Step) -> User:
    return step.macro, f"Macro {step.macro}"


def macros_needing_key(community: int) -> QuerySet[Macro]:
    """Those that stop when the community's last valid API key does."""
    steps = Step.objects.needing_key().filter(macro__community=community)
    return Macro.objects.filter(pk__in=steps.values("macro"))


def _hidden_from(secret: Secret) -> QuerySet[Secret, int | None]:
    own = Secret.objects.filter(community=secret.community_id, key=secret.key)
    return own.exclude(project=None).values_list("project", flat=True)
