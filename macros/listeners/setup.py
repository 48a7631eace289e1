"""A listener ready to work: read and compiled once for many calls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from feedback.models import FeedbackType, Filter, FormField, SubjectKind
from feedback.names import fold
from feedback.selection import saved

from ..models import Listener, ListenerAction
from ..models.scopes import field_info
from ..tags import FieldInfo, Scope
from .compiled import Action, compile_action
from .lines import listed
from .locations import Location

LOCATIONS = (
    *("record_at", "events_at", "name_at", "id_at", "ignored_at", "time_at"),
    "challenge_at",
)


@dataclass(frozen=True)
class Problem:
    """What keeps a listener from working, and the setting where it is."""

    setting: str
    sentence: str


class Setup:
    """`actions` are the listener's stored ones, unless it is being edited."""

    def __init__(
        self, listener: Listener, actions: Iterable[ListenerAction] | None = None
    ) -> None:
        self.listener = listener
        self.problems: list[Problem] = []
        self.record_at = self._location("record_at")
        self.events_at = self._location("events_at")
        self.name_at = self._location("name_at")
        self.id_at = self._location("id_at")
        self.ignored_at = self._location("ignored_at")
        self.time_at = self._location("time_at")
        self.challenge_at = self._location("challenge_at")
        # As people compare them, and as they were written.
        self.names = {fold(name): name for name in listed(listener.names)}
        self.ignored = frozenset(listed(listener.ignored))
        rows = listener.actions.select_related("macro") if actions is None else actions
        self.actions: list[Action] = []
        for number, row in enumerate(rows):
            action = compile_action(row, self.scope)
            self.actions.append(action)
            for setting, sentences in action.problems.items():
                self._note(f"actions[{number}].{setting}", *sentences)

    @property
    def is_for_testers(self) -> bool:
        return self.listener.subject_kind == SubjectKind.TESTER

    @cached_property
    def lock(self) -> str:
        """Why nothing may be done for now, as a sentence; or empty."""
        community = self.listener.community
        if community.is_unlocked():
            return ""
        return (
            f"The listener is locked: the community {community} has no valid API key."
            " A Community Manager can create one; replay the call then."
        )

    @property
    def noun(self) -> str:
        return "tester" if self.is_for_testers else "ticket"

    @cached_property
    def types(self) -> dict[int, FeedbackType]:
        """The feedback types whose tickets it may find."""
        listener = self.listener
        if listener.feedback_type is not None:
            return {listener.feedback_type.pk: listener.feedback_type}
        rows = FeedbackType.objects.select_related("project__community")
        if listener.project_id is not None:
            rows = rows.filter(project=listener.project_id)
        else:
            rows = rows.filter(project__community=listener.community_id)
        return {row.pk: row for row in rows}

    @cached_property
    def _form_fields(self) -> list[FormField]:
        if self.is_for_testers:
            return []
        return list(FormField.objects.filter(feedback_type__in=list(self.types)))

    @cached_property
    def questions(self) -> dict[tuple[int, str], FormField]:
        """The form fields by type, and by key and label as people compare them."""
        known: dict[tuple[int, str], FormField] = {}
        for row in self._form_fields:
            known[row.feedback_type_id, fold(row.label)] = row
        for row in self._form_fields:
            known.setdefault((row.feedback_type_id, fold(row.key)), row)
        return known

    @cached_property
    def scope(self) -> Scope:
        """The tags of its actions; no secret, since people read what they make."""
        kind = SubjectKind(self.listener.subject_kind)
        infos: dict[str, FieldInfo] = {}
        for row in self._form_fields:
            infos.setdefault(row.key, field_info(row))
        return Scope.of(infos.values(), subject_kind=kind)

    @cached_property
    def filter(self) -> tuple[Filter, saved.Compiled] | None:
        chosen = self.listener.filter
        return None if chosen is None else (chosen, saved.compiled(chosen))

    def _location(self, column: str) -> Location | None:
        text = getattr(self.listener, column)
        if not text.strip():
            return None
        try:
            return Location.parse(text)
        except ValueError as error:
            self._note(column, str(error))
            return None

    def _note(self, setting: str, *sentences: str) -> None:
        self.problems += [Problem(setting, each) for each in sentences]
