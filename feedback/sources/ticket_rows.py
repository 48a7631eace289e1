"""Tickets as a program gives them by their numbers, read member by member.

What is not given of a ticket that is there stays. What the caller can't see does not
exist: neither its type, nor its status, nor its submitter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db.models import Q

from ..access.actors import reached_wholly
from ..access.keys import Actor
from ..access.roles import ADD_TICKET, CHANGE_TICKET
from ..forms import answer_to
from ..models import Community, Feedback, FeedbackType, Status, Tester
from ..models.folded import Folded
from ..names import Hints, fold
from ..texts import is_pk
from .external import Data, read_external
from .faults import Faults
from .outcomes import RowOutcome
from .people import valid_email
from .reading import description_of, status_of, title_of, visibility_of

ID, TYPE, STATUS, SUBMITTER = "id", "type", "status", "submitter"
ANSWERS, EXTERNAL = "form_values", "external_data"
_TEXTS: dict[str, Callable[[str], object]] = {
    "title": title_of,
    "description": description_of,
    "visibility": visibility_of,
}
NAMES = (TYPE, *_TEXTS, STATUS, SUBMITTER, ANSWERS, EXTERNAL)
_REQUIRED = "This member is required."
_FIXED = "This stays as it is: make another ticket."


@dataclass(slots=True)
class TicketRow:
    """What was sent of one ticket, and what became of it."""

    index: int
    faults: Faults
    given: dict[str, object] = field(default_factory=dict)
    # The number of a ticket that is there.
    pk: int | None = None
    is_new: bool = True
    of: FeedbackType | None = None
    values: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, object] = field(default_factory=dict)
    external: Data = field(default_factory=dict)
    ticket: Feedback | None = None
    reference: str = ""
    outcome: RowOutcome = RowOutcome.REFUSED


def one(sent: Mapping[str, object], pk: int | None = None) -> TicketRow:
    """A new ticket, or what is to change of the one of this number."""
    row = TicketRow(0, Faults(), pk=pk, is_new=pk is None)
    _take(row, sent, NAMES)
    return row


def several(sent: Sequence[object], member: str) -> list[TicketRow]:
    """Rows of a list that stands under a member; an `id` says which ticket it is."""
    rows, first, hints = [], dict[int, int](), Hints()
    for index, each in enumerate(sent):
        row = TicketRow(index, Faults((member, index), hints))
        rows.append(row)
        if not isinstance(each, dict):
            row.faults.add([], 'Give an object: {"type": 1, "title": "It breaks"}.')
            continue
        _take(row, each, (ID, *NAMES))
        if ID not in row.given:
            continue
        row.is_new, row.pk = False, number_of(row.given[ID])
        if row.pk is None:
            row.faults.add([ID], "Give the number of a ticket.")
        elif first.setdefault(row.pk, index) != index:
            message = f"#/{member}/{first[row.pk]} is about the same ticket."
            row.faults.add([ID], message)
    return rows


def _take(row: TicketRow, sent: Mapping[str, object], names: Iterable[str]) -> None:
    for name, value in sent.items():
        if name in names:
            row.given[name] = value
        else:
            row.faults.add_unknown(name, names)


def number_of(value: object) -> int | None:
    return value if is_pk(value) else None


class Reader:
    """Reads rows of tickets for an actor: what they name is looked up for all at once.

    What is wrong with a row is added to its faults.
    """

    def __init__(self, actor: Actor, rows: Sequence[TicketRow]) -> None:
        self.actor = actor
        self._find_types(rows)
        self._people = _People(actor, rows)
        for row in rows:
            if row.of is not None:
                self._read(row, row.of)

    def _find_types(self, rows: Sequence[TicketRow]) -> None:
        """Where each row's ticket is, or is to be."""
        pks = [row.pk for row in rows if row.pk is not None]
        seen = Feedback.objects.visible_to(self.actor, CHANGE_TICKET)
        changed = seen.filter(pk__any_of=pks).values_list("pk", "feedback_type_id")
        type_of = dict(changed) if pks else {}
        named = (number_of(row.given.get(TYPE)) for row in rows if row.is_new)
        given = {*filter(None, named)}
        every = FeedbackType.objects.select_related("project__community")
        every = every.prefetch_related("form_fields", "statuses")
        open_to = every.visible_to(self.actor, ADD_TICKET).filter(pk__in=given)
        addable = {each.pk: each for each in open_to if not each.is_being_deleted}
        known = every.in_bulk(set(type_of.values()))
        self._questions = {
            pk: {each.key: each for each in of.form_fields.all()}
            for pk, of in {**addable, **known}.items()
        }
        for row in rows:
            if not row.is_new:
                row.of = known.get(type_of.get(row.pk or 0, 0))
                if row.of is None and row.pk is not None:
                    row.faults.add([ID], f"There is no ticket {row.pk}.")
                if TYPE in row.given:
                    row.faults.add([TYPE], _FIXED)
            elif row.given or not row.faults:
                row.of = self._type(row, addable)

    def _type(
        self, row: TicketRow, addable: Mapping[int, FeedbackType]
    ) -> FeedbackType | None:
        given = row.given.get(TYPE)
        number = number_of(given)
        if of := addable.get(number or 0):
            return of
        if number is not None:
            message = f"There is no feedback type {number} for you to add tickets to."
        else:
            message = _REQUIRED if given is None else "Give a feedback type's number."
        row.faults.add([TYPE], message)
        return None

    def _read(self, row: TicketRow, of: FeedbackType) -> None:
        for name, value in row.given.items():
            try:
                self._read_member(row, of, name, value)
            except ValidationError as error:
                row.faults.add_error(name, error)
        if row.is_new:
            if row.given.get("title") is None:
                row.faults.add(["title"], _REQUIRED)
            self._require(row, of)

    def _read_member(
        self, row: TicketRow, of: FeedbackType, name: str, value: object
    ) -> None:
        """Raises ValidationError."""
        if value is None and row.is_new:
            return
        if name in _TEXTS:
            row.values[name] = _TEXTS[name](_text(value))
        elif name == STATUS:
            status = _status(of, value)
            row.values["status_id"] = status and status.pk
        elif name == SUBMITTER:
            row.values["submitter_id"] = self._people.key_of(of, value)
        elif name == ANSWERS:
            self._read_answers(row, of, value)
        elif name == EXTERNAL:
            row.external = read_external(value, row.faults, EXTERNAL)

    def _read_answers(self, row: TicketRow, of: FeedbackType, value: object) -> None:
        if not isinstance(value, dict):
            raise ValidationError('Give an object: {"severity": "Major"}.')
        questions = self._questions[of.pk]
        for key, answer in value.items():
            if key not in questions:
                near = row.faults.hints.near(key, questions)
                message = f"The form has no question of this key.{near}"
                row.faults.add([ANSWERS, key], message)
                continue
            try:
                row.answers[key] = answer_to(questions[key], answer)
            except ValidationError as error:
                row.faults.add([ANSWERS, key], " ".join(error.messages))

    def _require(self, row: TicketRow, of: FeedbackType) -> None:
        """What a new ticket's form asks for in any case."""
        given = row.given.get(ANSWERS)
        named = given if isinstance(given, dict) else {}
        for key, question in self._questions[of.pk].items():
            if question.required and key not in named:
                message = f"A new ticket needs an answer to '{question.label}'."
                row.faults.add([ANSWERS, key], message)


class _Person(NamedTuple):
    pk: int
    community_id: int
    email: str
    erased_at: datetime | None


class _People:
    """The testers that rows name as submitters, by number or by e-mail address."""

    def __init__(self, actor: Actor, rows: Sequence[TicketRow]) -> None:
        named = [row.given.get(SUBMITTER) for row in rows]
        pks = {number for each in named if (number := number_of(each))}
        emails = {fold(each.strip()) for each in named if isinstance(each, str)}
        self._by_pk: dict[int, _Person] = {}
        self._by_email: dict[tuple[int, str], _Person] = {}
        if not (pks or emails):
            return
        communities = {row.of.project.community_id for row in rows if row.of}
        testers = _open_to(actor, communities).alias(folded=Folded("email"))
        where = Q(pk__any_of=list(pks)) if pks else Q(folded__in=emails)
        if pks and emails:
            where |= Q(folded__in=emails)
        columns = ("pk", "community_id", "email", "erased_at")
        for values in testers.filter(where).values_list(*columns):
            person = _Person(*values)
            self._by_pk[person.pk] = person
            self._by_email[person.community_id, fold(person.email)] = person

    def key_of(self, of: FeedbackType, value: object) -> int | None:
        """Raises ValidationError."""
        community = of.project.community_id
        if value is None:
            return None
        if isinstance(value, str):
            email = valid_email(value.strip())
            tester = self._by_email.get((community, fold(email)))
            problem = "The community has no tester with this e-mail address."
        elif number := number_of(value):
            tester = self._by_pk.get(number)
            problem = f"The community has no tester {number}."
        else:
            raise ValidationError("Give a tester's number or e-mail address.")
        if tester is None or tester.community_id != community:
            raise ValidationError(problem)
        if tester.erased_at is not None:
            raise ValidationError("This tester was erased.")
        return tester.pk


def _open_to(actor: Actor, communities: Iterable[int]) -> Any:
    """The communities' testers, so far as the actor sees them."""
    rows = Tester.objects.filter(community__in=communities)
    whole = Community.objects.filter(reached_wholly(actor, ADD_TICKET))
    if whole.filter(pk__in=communities).count() == len({*communities}):
        return rows
    return rows.visible_to(actor, ADD_TICKET)


def _status(of: FeedbackType, value: object) -> Status | None:
    if value is None:
        return None
    statuses = list(of.statuses.all())
    if number := number_of(value):
        for each in statuses:
            if each.pk == number:
                return each
        raise ValidationError(f"The feedback type has no status {number}.")
    return status_of(statuses, _text(value))


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValidationError("Give a text.")
    return value
