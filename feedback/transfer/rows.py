"""The rows of one part: checked, and written through the one door for changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from ..changes import Origin, unit, write
from ..changes.signals import set_together
from ..forms import PREFIX, answer_from
from ..models import Feedback, Status, Tester, Visibility
from ..names import Hints, fold, normalise, one_line
from ..selection.external import EXTERNAL_PREFIX
from ..sources.external import COLUMNS as EXTERNAL_COLUMNS
from ..sources.external import columns_with, read_values
from ..sources.faults import Faults
from ..sources.reading import MAX_DESCRIPTION, MAX_TITLE
from ..units import Unit, Values
from .cells import as_cell
from .columns import (
    DESCRIPTION,
    REFERENCE,
    STATUS,
    SUBMITTER,
    TITLE,
    VISIBILITY,
    Columns,
    TypeColumns,
)
from .submitters import Submitters

# The number of a row, the name of a column, and what is wrong there.
Fault = tuple[int, str, str]
_READ = ("form_values", *EXTERNAL_COLUMNS, "submitter_id")
_TITLE = forms.CharField(max_length=MAX_TITLE)
_DESCRIPTION = forms.CharField(max_length=MAX_DESCRIPTION, strip=False)


@dataclass(slots=True)
class Counts:
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    testers: int = 0


@dataclass(slots=True)
class _Row:
    number: int
    given: dict[str, str]
    faults: list[Fault] = field(default_factory=list)
    is_new: bool = True
    ticket: int | None = None
    values: Values = field(default_factory=dict)
    answers: dict[str, object] = field(default_factory=dict)
    external: dict[str, object] = field(default_factory=dict)
    # The address of a tester that is to be made.
    newcomer: str = ""


class Part:
    """Rows of a file, and what they are compared with: read once for all of them."""

    def __init__(
        self,
        of: TypeColumns,
        columns: Columns,
        rows: list[tuple[int, list[str]]],
        *,
        makes_testers: bool = False,
    ) -> None:
        self.of = of
        self.columns = columns
        community = of.feedback_type.project.community
        self._hints = Hints()
        self._submitters = Submitters(community, makes=makes_testers)
        self.rows = [_Row(number, columns.sort(cells)) for number, cells in rows]

    def refuse(self, known: Mapping[int, str]) -> None:
        """What is wrong with rows among all rows of the file, by their numbers."""
        for row in self.rows:
            if row.number in known:
                self._fault(row, REFERENCE, known[row.number])

    def check(self) -> Counts:
        """Write nothing, and say how many rows would do what."""
        self._read()
        counts = Counts()
        for row in self._fine():
            if row.is_new:
                self._external(row, {}, "")
        for row in self.rows:
            if row.faults:
                counts.refused += 1
            elif row.ticket is None:
                counts.created += 1
            else:
                counts.updated += 1
        return counts

    def write(self, origin: Origin, source: str) -> Counts:
        """All rows that are not at fault, as one unit of work."""
        self._read()
        with unit(origin) as opened:
            updates = self._updates(opened, source)
            new = self._new(source)
            testers = self._give_newcomers(updates, new)
            write(Feedback, updates)
            Feedback.objects.submit_many(self.of.feedback_type, list(new.values()))
            changes = opened.changes(Feedback)
            for model, made in ((Feedback, changes), (Tester, opened.changes(Tester))):
                if made:
                    set_together.send(model, changes=made)
        changed = sum(not each.is_new for each in changes)
        refused = sum(bool(row.faults) for row in self.rows)
        return Counts(len(new), changed, len(updates) - changed, refused, testers)

    @property
    def faults(self) -> list[Fault]:
        return [fault for row in self.rows for fault in row.faults]

    def _fine(self) -> list[_Row]:
        return [row for row in self.rows if not row.faults]

    def _fault(self, row: _Row, meaning: str, sentence: str) -> None:
        row.faults.append((row.number, self.columns.title_of(meaning), sentence))

    def _read(self) -> None:
        self._find_tickets()
        self._submitters.look_up(row.given.get(SUBMITTER, "") for row in self.rows)
        for row in self.rows:
            for meaning, cell in row.given.items():
                try:
                    self._read_cell(row, meaning, cell)
                except ValidationError as error:
                    self._fault(row, meaning, " ".join(error.messages))
            if row.is_new:
                self._require(row)

    def _find_tickets(self) -> None:
        """Look them up by their numbers, of which the type has an index."""
        numbers = (_number(row.given.get(REFERENCE, "")) for row in self.rows)
        wanted = {each for each in numbers if each is not None}
        rows = Feedback.objects.filter(
            feedback_type=self.of.feedback_type, number__in=wanted
        )
        known = {fold(ref): pk for ref, pk in rows.values_list("reference", "pk")}
        for row in self.rows:
            reference = row.given.pop(REFERENCE, "").strip()
            if not reference:
                continue
            row.is_new, row.ticket = False, known.get(fold(reference))
            if row.ticket is None:
                self._fault(
                    row,
                    REFERENCE,
                    f"There is no ticket {reference[:60]} of this type. Leave the cell"
                    " empty to make a new ticket.",
                )

    def _read_cell(self, row: _Row, meaning: str, cell: str) -> None:
        """Raises ValidationError."""
        if meaning == TITLE:
            row.values["title"] = _TITLE.clean(one_line(cell))
        elif meaning == DESCRIPTION:
            row.values["description"] = _DESCRIPTION.clean(cell)
        elif meaning == STATUS:
            row.values["status_id"] = self._status(cell).pk
        elif meaning == SUBMITTER:
            known, row.newcomer = self._submitters.read(cell)
            if known is not None:
                row.values["submitter_id"] = known
        elif meaning == VISIBILITY:
            row.values["visibility"] = _visibility(cell)
        elif meaning.startswith(EXTERNAL_PREFIX):
            row.external[meaning.removeprefix(EXTERNAL_PREFIX)] = cell.strip()
        else:
            key = meaning.removeprefix(PREFIX)
            [question] = [each for each in self.of.questions if each.key == key]
            row.answers[key] = answer_from(question, cell)

    def _status(self, cell: str) -> Status:
        for each in self.of.statuses:
            if fold(each.name) == fold(cell.strip()):
                return each
        names = [each.name for each in self.of.statuses]
        near = self._hints.near(cell, names) or f" There are: {', '.join(names)}."
        raise ValidationError(f"The feedback type has no such status.{near}")

    def _require(self, row: _Row) -> None:
        """What a new ticket must have."""
        if "title" not in row.values and not row.faults:
            self._fault(row, TITLE, "A new ticket needs a title.")
        for question in self.of.questions:
            if question.required and question.key not in row.answers:
                named = PREFIX + question.key
                if not any(
                    self.columns.title_of(named) == each[1] for each in row.faults
                ):
                    message = f"A new ticket needs an answer to '{question.label}'."
                    self._fault(row, named, message)

    def _updates(self, opened: Unit, source: str) -> dict[int, Values]:
        """What to write to tickets, each as it is once it is locked."""
        rows = {row.ticket: row for row in self._fine() if row.ticket}
        stored = opened.lock(Feedback, rows, _READ)
        updates = {}
        for pk, row in rows.items():
            if pk not in stored:
                self._fault(row, REFERENCE, "The ticket was deleted meanwhile.")
                continue
            values = dict(row.values)
            if row.answers:
                merged = stored[pk]["form_values"] | row.answers
                values["form_values"] = _answered(merged)
            values |= self._external(row, stored[pk], source)
            if not row.faults:
                updates[pk] = values
        return updates

    def _new(self, source: str) -> dict[int, Feedback]:
        """Tickets to make, by the numbers of their rows."""
        made = {}
        for row in self._fine():
            if row.ticket is None:
                values = row.values | self._external(row, {}, source)
                if not row.faults:
                    answers = _answered(row.answers)
                    made[row.number] = Feedback(form_values=answers, **values)
        return made

    def _give_newcomers(
        self, updates: dict[int, Values], new: Mapping[int, Feedback]
    ) -> int:
        """Make the testers that rows name, once each is known not to be at fault."""
        rows = [row for row in self._fine() if row.newcomer]
        made = self._submitters.make(row.newcomer for row in rows)
        for row in rows:
            key = made[fold(row.newcomer)]
            if row.ticket is None:
                new[row.number].submitter_id = key
            else:
                updates[row.ticket]["submitter_id"] = key
        return len(made)

    def _external(
        self, row: _Row, present: Mapping[str, Any], source: str
    ) -> dict[str, Any]:
        if not row.external:
            return {}
        faults = Faults()
        stored = present.get("external_data") or {}
        given = [
            ((name,), name, value)
            for name, value in row.external.items()
            # A number that was exported comes back as a text.
            if str(as_cell(stored.get(normalise(name)))).strip() != value
        ]
        data = read_values(given, faults)
        columns = columns_with(present, data, source, faults, "external")
        for fault in faults:
            self._fault(row, f"{EXTERNAL_PREFIX}{fault.path[0]}", fault.sentence)
        return columns


def _answered(answers: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in answers.items() if value is not None}


def _visibility(cell: str) -> Visibility:
    wanted = fold(cell.strip())
    for each in Visibility:
        if wanted in (each.value, fold(each.label)):
            return each
    raise ValidationError("Write public or private.")


def _number(reference: str) -> int | None:
    digits = reference.strip().rpartition("-")[2]
    fits = digits.isascii() and digits.isdigit() and len(digits) < 10
    return int(digits) if fits else None
