"""What is wrong with the actions of a listener."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.core.exceptions import ValidationError

from feedback.forms import answer_from
from feedback.models import Status, Visibility
from feedback.names import fold

from ..models import ActionKind, Macro, RecordBy
from .actions import points_in
from .compiled import Action
from .creation import unknown_names
from .setup import Setup

MAX_ACTIONS = 50
# The setting, and a sentence.
Found = tuple[str, str]
# What testers don't have.
_MISSING = {
    ActionKind.COMMENT: "comments",
    ActionKind.STATUS: "status",
    ActionKind.FIELD: "form",
    ActionKind.VISIBILITY: "visibility",
}


def in_actions(setup: Setup) -> Iterator[Found]:
    listener, kinds = setup.listener, [action.kind for action in setup.actions]
    if not kinds:
        yield "actions", "Add at least one action: so far a call changes nothing."
    if len(kinds) > MAX_ACTIONS:
        yield "actions", f"There can be {MAX_ACTIONS} actions, not {len(kinds)}."
    if kinds.count(ActionKind.CREATE) > 1:
        yield "actions", "Only one action can create what is not there."
    if listener.record_by == RecordBy.NONE and ActionKind.CREATE not in kinds:
        yield "record_by", "Say which ticket or tester it is about, or create one."
    for number, action in enumerate(setup.actions):
        for setting, sentence in _in_action(setup, action):
            yield f"actions[{number}].{setting}", sentence


def _in_action(setup: Setup, action: Action) -> Iterator[Found]:
    if setup.is_for_testers and (lacking := _MISSING.get(action.kind)):
        yield "kind", f"Testers have no {lacking}."
        return
    match action.kind:
        case ActionKind.RUN:
            yield from _in_run(setup, action.row.macro)
        case ActionKind.COMMENT:
            if not action.row.value.strip():
                yield "value", "Write the comment."
        case ActionKind.STATUS:
            yield from _in_status(setup, action)
        case ActionKind.FIELD:
            yield from _in_field(setup, action)
        case ActionKind.VISIBILITY:
            yield from _unfit(action, _why_not_visibility)
        case ActionKind.SCORE:
            yield from _unfit(action, _why_not_points)
        case ActionKind.EXTERNAL:
            if not action.values and not action.problems:
                yield "value", "Say what is stored: name: value on each line."
        case ActionKind.CREATE:
            yield from _in_create(setup, action)


def _in_run(setup: Setup, macro: Macro | None) -> Iterator[Found]:
    listener = setup.listener
    if macro is None:
        yield "macro", "Choose a macro."
        return
    if setup.is_for_testers:
        is_own = macro.feedback_type_id is None
    else:
        is_own = macro.feedback_type_id in setup.types
    is_beside = None not in (macro.project_id, listener.project_id) and (
        macro.project_id != listener.project_id
    )
    if not is_own or is_beside or macro.community_id != listener.community_id:
        yield (
            "macro",
            f"The macro {macro.name} runs on {macro.runs_on}, and the listener finds"
            " others.",
        )


def _fixed_values(action: Action) -> list[str]:
    """What it may set, as far as that is known beforehand."""
    if action.row.value_map.strip():
        return [*action.value_map.pairs.values()]
    template = action.values.get("")
    fixed = template.fixed if template else None
    return [] if fixed is None else [fixed]


def _in_status(setup: Setup, action: Action) -> Iterator[Found]:
    if not action.row.value.strip():
        yield "value", "Say which status, such as ((Payload: $.issue.status))."
        return
    rows = Status.objects.filter(feedback_type__in=list(setup.types))
    known = {fold(name): name for name in rows.values_list("name", flat=True)}
    for name in _fixed_values(action):
        if fold(name.strip()) not in known:
            names = ", ".join(sorted(known.values()))
            yield _setting(action), f"There is no status '{name}'. There are: {names}."


def _in_field(setup: Setup, action: Action) -> Iterator[Found]:
    wanted = fold(action.row.name.strip())
    named = [row for (_, name), row in setup.questions.items() if name == wanted]
    if not named:
        yield "name", f"No form has a field '{action.row.name}'. Give its label or key."
        return
    for value in _fixed_values(action):
        problems = []
        for question in named:
            try:
                answer_from(question, value)
            except ValidationError as error:
                problems.append(" ".join(error.messages))
        if len(problems) == len(named):
            yield _setting(action), f"'{value}': {problems[0]}"


def _why_not_visibility(value: str) -> str:
    is_known = fold(value.strip()) in Visibility.values
    return "" if is_known else f"'{value}' is neither public nor private."


def _why_not_points(value: str) -> str:
    return "" if points_in(value) else f"'{value}' is not a number of points."


def _unfit(action: Action, why_not: Callable[[str], str]) -> Iterator[Found]:
    if not action.row.value.strip():
        yield "value", "Give a value."
        return
    for value in _fixed_values(action):
        if why := why_not(value):
            yield _setting(action), why


def _setting(action: Action) -> str:
    return "value_map" if action.value_map else "value"


def _in_create(setup: Setup, action: Action) -> Iterator[Found]:
    if not setup.is_for_testers and setup.listener.feedback_type is None:
        yield "kind", "Only the listener of a feedback type can create tickets."
        return
    needed = "email" if setup.is_for_testers else "title"
    if "value" not in action.problems and needed not in map(fold, action.values):
        yield "value", f"Say what its {needed} is: {needed}: ((Payload: ...))"
    for name in unknown_names(setup, list(action.values)):
        yield "value", f"A {setup.noun} has no '{name}'."
