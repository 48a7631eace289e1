"""What a listener does for an event, action by action."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from django.utils import timezone

from feedback.changes import Change, ChangeKind, Origin, apply
from feedback.models import Feedback, Tester, Visibility
from feedback.names import fold
from feedback.texts import storable
from logs.models import Cause

from ..models import ActionKind, InboundEvent, InboundOutcome, Macro
from ..runs import Because, NothingSelected, RunRefused, start_run
from ..steps.rendering import url_of
from ..tags import RenderContext, RenderError, Template, to_text
from .compiled import Action
from .creation import create
from .events import shown
from .external import store
from .payloads import Payload
from .records import label_of, load, project_of
from .results import Ended, Result, failed
from .setup import Setup

# Characters of a comment.
MAX_COMMENT = 65_536
MAX_POINTS = 1_000_000
_POINTS = re.compile(r"[+-]?[0-9]{1,7}")


@dataclass
class Doing:
    """One event at work: what was found for it, and what is done with that."""

    setup: Setup
    payload: Payload
    event: InboundEvent
    result: Result
    origin: Origin
    # What the runs that it starts keep of the event.
    kept: Callable[[], str]
    # Changes that are made together, each with its action.
    _asked: list[tuple[Action, Change]] = field(default_factory=list)
    _is_stale: bool = False

    @property
    def record(self) -> Feedback | Tester:
        if self.result.record is None:
            raise failed(f"There is no {self.setup.noun} to work on.")
        return self.result.record

    def do_all(self) -> None:
        """Raises Ended where one can't be done."""
        actions = sorted(self.setup.actions, key=_is_later)
        for action in actions:
            try:
                _DO[action.kind](self, action)
            except RenderError as error:
                raise self.refuse(action, str(error)) from None
        self.make_changes()

    def mark_stale(self) -> None:
        """Tags read the record anew."""
        self._is_stale = True

    def refuse(self, action: Action, why: str) -> Ended:
        return failed(f"{action.label}: {why}")

    def ask(self, action: Action, change: Change) -> None:
        self._asked.append((action, change))

    def make_changes(self) -> None:
        """Those that were asked for, in one go."""
        if not self._asked:
            return
        asked, self._asked = self._asked, []
        pk = self.record.pk
        results = apply(
            [(pk, change) for _, change in asked],
            Origin(listener=self.setup.listener.name, chain=self.origin.chain),
            to_testers=self.setup.is_for_testers,
        )
        self._is_stale = True
        for (action, _), result in zip(asked, results, strict=True):
            if not result.is_possible:
                raise self.refuse(action, result.message)
            if result.changes_something:
                self.result.changes.append(result.message)

    def text(self, action: Action, template: Template | None = None) -> str:
        chosen = template or action.template
        return storable(chosen.render(self.context(chosen)))

    def context(self, template: Template) -> RenderContext:
        """What tags read: the record as it is by now, or none while it is created."""
        record = self.result.record
        if record is not None and template.reads:
            self.make_changes()
            if self._is_stale:
                self._is_stale = False
                self.result.record = record = load(self.setup, record.pk)
        project = project_of(self.setup)
        return RenderContext(
            subject=record,
            subject_url=url_of(record) if record else "",
            macro="",
            run_id="",
            delivery_id="",
            now=timezone.now(),
            project=project.name if project and self.setup.is_for_testers else "",
            payload=self.payload,
        )


def _mapped(doing: Doing, action: Action) -> str | None:
    """The value of an action after its map; None where the map has nothing for it."""
    text = doing.text(action)
    if not action.value_map:
        return text
    wanted = action.value_map.look_up(text)
    if wanted is None:
        note = f"{action.label}: '{shown(text)}' is not in its value map, so it stays."
        doing.result.changes.append(note)
    return wanted


def _comment(doing: Doing, action: Action) -> None:
    text = doing.text(action)
    if len(text) > MAX_COMMENT:
        raise doing.refuse(action, f"It is longer than {MAX_COMMENT:,} characters.")
    if text.strip():
        doing.ask(action, Change(ChangeKind.COMMENT, text))


def _status(doing: Doing, action: Action) -> None:
    name = _mapped(doing, action)
    if name is None:
        return
    if not name.strip():
        raise doing.refuse(action, "The call gives no status.")
    doing.ask(action, Change(ChangeKind.STATUS, name.strip()))


def _field(doing: Doing, action: Action) -> None:
    value, record = _mapped(doing, action), doing.record
    if value is None or isinstance(record, Tester):
        return
    known = doing.setup.questions.get((record.feedback_type_id, fold(action.row.name)))
    if known is None:
        raise doing.refuse(
            action, f"The form of {record.feedback_type} has no such field."
        )
    doing.ask(action, Change(ChangeKind.FIELD, value, known.key))


def _visibility(doing: Doing, action: Action) -> None:
    value = _mapped(doing, action)
    if value is None:
        return
    if fold(value.strip()) not in Visibility.values:
        raise doing.refuse(action, f"'{shown(value)}' is neither public nor private.")
    doing.ask(action, Change(ChangeKind.VISIBILITY, Visibility(fold(value.strip()))))


def _score(doing: Doing, action: Action) -> None:
    value = _mapped(doing, action)
    if value is None or not value.strip():
        return
    points = points_in(value)
    if points is None:
        raise doing.refuse(action, f"'{shown(value)}' is not a number of points.")
    if points:
        doing.ask(action, Change(ChangeKind.SCORE, points))


def points_in(text: str) -> int | None:
    text = text.strip()
    points = int(text) if _POINTS.fullmatch(text) else None
    return points if points is None or abs(points) <= MAX_POINTS else None


def _external(doing: Doing, action: Action) -> None:
    values: dict[str, object] = {}
    for name, template in action.values.items():
        value = template.value(doing.context(template))
        if action.value_map:
            value = action.value_map.look_up(to_text(value))
        values[name] = value
    doing.make_changes()
    source = f"listener {doing.setup.listener.name}, call {doing.event.call_id}"
    try:
        doing.result.changes += store(doing.record, values, source)
    except ValueError as error:
        raise doing.refuse(action, str(error)) from None
    doing.mark_stale()


def _run(doing: Doing, action: Action) -> None:
    macro, record = action.row.macro, doing.record
    if macro is None:
        raise doing.refuse(action, "The macro was deleted.")
    if not macro.is_active or macro.paused_reason:
        why = f"paused: {macro.paused_reason}" if macro.is_active else "off."
        raise Ended(InboundOutcome.PAUSED, f"The macro {macro.name} is {why}")
    doing.make_changes()
    if note := _misfit(macro, record):
        doing.result.changes.append(note)
        return
    try:
        _start(doing, macro, record)
    except NothingSelected as nothing:
        doing.result.changes.append(f"{macro.name}: {nothing}")
    except RunRefused as refused:
        raise doing.refuse(action, str(refused)) from None
    else:
        doing.result.macros.append(macro.name)


def _start(doing: Doing, macro: Macro, record: Feedback | Tester) -> None:
    listener = doing.setup.listener
    because = Because(
        listener=listener,
        event=doing.event,
        chain=doing.origin.chain,
        payload=doing.kept(),
    )
    start_run(
        macro,
        type(record)._default_manager.filter(pk=record.pk),
        cause=Cause.LISTENER,
        selection=f"{label_of(record)}, by the listener {listener.name}",
        because=because,
    )


def _create(doing: Doing, action: Action) -> None:
    if doing.result.record is not None:
        return
    texts = {
        name: doing.text(action, template) for name, template in action.values.items()
    }
    notes: list[str] = []
    try:
        record = create(doing.setup, texts, notes.append)
    except ValueError as error:
        raise doing.refuse(action, str(error)) from None
    doing.result.record = record
    doing.result.changes += [f"{label_of(record)} was created.", *notes]
    doing.mark_stale()


def _is_later(action: Action) -> bool:
    """What is created comes first: the others work on it."""
    return action.kind != ActionKind.CREATE


def _misfit(macro: Macro, record: Feedback | Tester) -> str:
    """Why the macro is not for the record, as a sentence; empty where it is."""
    if isinstance(record, Feedback):
        is_own = macro.feedback_type_id == record.feedback_type_id
    else:
        is_own = macro.feedback_type_id is None
        is_own &= macro.community_id == record.community_id
    if is_own:
        return ""
    return f"The macro {macro.name} runs on {macro.runs_on}, so it did not run."


_DO: dict[ActionKind, Callable[[Doing, Action], None]] = {
    ActionKind.RUN: _run,
    ActionKind.COMMENT: _comment,
    ActionKind.STATUS: _status,
    ActionKind.FIELD: _field,
    ActionKind.VISIBILITY: _visibility,
    ActionKind.SCORE: _score,
    ActionKind.EXTERNAL: _external,
    ActionKind.CREATE: _create,
}
