"""From what a program sends to a ticket's values, or to all that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from django import forms
from django.core.exceptions import ValidationError

from ..forms import PREFIX, answer_to, text_of_json
from ..models import Status, Tester, Visibility
from ..names import did_you_mean, fold, one_line
from ..selection.external import EXTERNAL_PREFIX
from .external import Data, columns_with, members_of, read_values
from .faults import Faults, SubmissionRefused
from .members import (
    DESCRIPTION,
    EXTERNAL,
    STATUS,
    SUBMITTER,
    TITLE,
    VISIBILITY,
    Given,
    Members,
)
from .people import tester_of, valid_email

MAX_TITLE = 250
MAX_DESCRIPTION = 65_536
_REQUIRED = "This member is required."
_TITLE = forms.CharField(max_length=MAX_TITLE)
_DESCRIPTION = forms.CharField(max_length=MAX_DESCRIPTION, strip=False, required=False)

T = TypeVar("T")


@dataclass(slots=True)
class Submission:
    """A ticket's columns, and who submits it: a tester, who may be a new one."""

    submitter: Tester | None = None
    columns: dict[str, object] = field(default_factory=dict)


def read(members: Members, sent: Mapping[str, object]) -> Submission:
    """Raises SubmissionRefused with every member at fault."""
    faults = Faults()
    given = members.sort(sent, faults)
    reader = _Reader(members, given, faults)
    columns: dict[str, object] = {
        "title": reader.member(TITLE, title_of, required=True),
        "description": reader.member(DESCRIPTION, description_of) or "",
        "visibility": reader.member(VISIBILITY, visibility_of) or Visibility.PUBLIC,
        "status": reader.status(),
        "form_values": reader.answers(),
        **reader.external(),
    }
    submission = Submission(reader.submitter(), columns)
    if faults:
        raise SubmissionRefused(faults)
    return submission


@dataclass(slots=True)
class _Reader:
    members: Members
    given: dict[str, Given]
    faults: Faults

    def member(
        self, name: str, reads: Callable[[str], T], *, required: bool = False
    ) -> T | None:
        """A member that is a text; None where it is blank, or at fault."""
        given = self.given.get(name)
        try:
            text = text_of_json(given.value) if given else ""
            if text.strip():
                return reads(text)
            if required:
                raise ValidationError(_REQUIRED)
        except ValidationError as error:
            self.faults.add_error(given.name if given else name, error)
        return None

    def status(self) -> Status | None:
        def named(text: str) -> Status:
            return status_of(self.members.statuses, text)

        required = self.members.needs_status
        given = self.member(STATUS, named, required=required)
        return given or self.members.source.default_status

    def submitter(self) -> Tester | None:
        source = self.members.source
        community = source.feedback_type.project.community

        def known(text: str) -> Tester:
            return tester_of(community, valid_email(text), makes=source.makes_testers)

        required = self.members.needs_submitter
        given = self.member(SUBMITTER, known, required=required)
        return given or (None if required else source.default_submitter)

    def answers(self) -> dict[str, object]:
        answers = {}
        for question in self.members.questions:
            given = self.given.get(PREFIX + question.key)
            name = given.name if given else self.members.name_of(question)
            try:
                answer = answer_to(question, given.value if given else None)
            except ValidationError as error:
                self.faults.add_error(name, error)
                continue
            if answer is not None:
                answers[question.key] = answer
        return answers

    def external(self) -> dict[str, Data]:
        """From the object, and from members `external_<name>` such as a form has."""
        given = self.given.get(EXTERNAL)
        name = given.name if given else EXTERNAL
        values = members_of(given.value if given else None, self.faults, name)
        values += [
            ((single.name,), meant.removeprefix(EXTERNAL_PREFIX), single.value)
            for meant, single in self.given.items()
            if meant.startswith(EXTERNAL_PREFIX)
        ]
        data = read_values(values, self.faults)
        source = f"source {self.members.source.name}"
        return columns_with({}, data, source, self.faults, name)


def title_of(text: str) -> str:
    """Raises ValidationError, as the next three do."""
    return str(_TITLE.clean(one_line(text)))


def description_of(text: str) -> str:
    return str(_DESCRIPTION.clean(text))


def status_of(statuses: Iterable[Status], text: str) -> Status:
    wanted = fold(text.strip())
    for each in statuses:
        if fold(each.name) == wanted:
            return each
    names = [each.name for each in statuses]
    near = did_you_mean(text, names) or f" There are: {', '.join(names)}."
    raise ValidationError(f"The feedback type has no such status.{near}")


def visibility_of(text: str) -> Visibility:
    wanted = fold(text.strip())
    for each in Visibility:
        if wanted in (each.value, fold(each.label)):
            return each
    raise ValidationError("Give public or private.")
