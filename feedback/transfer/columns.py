"""What the columns of a file stand for, in the one feedback type that it is for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ..forms import PREFIX
from ..models import FeedbackType, FormField, Status
from ..names import Hints, normalise
from ..selection.external import EXTERNAL_PREFIX, is_name
from .errors import FileUnreadable

REFERENCE, TITLE, DESCRIPTION = "reference", "title", "description"
STATUS, VISIBILITY, SUBMITTER = "status", "visibility", "submitter"
WRITTEN = (REFERENCE, TITLE, DESCRIPTION, STATUS, VISIBILITY, SUBMITTER)
# What an export says besides, and an import passes over.
PASSED_OVER = ("type", "created", "modified", "url")
_ALIASES = {"submitter_email": SUBMITTER, "ticket": REFERENCE, "type_name": "type"}


@dataclass(frozen=True, slots=True)
class Columns:
    """The meaning of each column; empty of one that is passed over."""

    header: list[str]
    meanings: list[str]

    @property
    def known(self) -> set[str]:
        return {*self.meanings} - {""}

    def title_of(self, meaning: str) -> str:
        if meaning in self.meanings:
            return self.header[self.meanings.index(meaning)]
        return meaning

    def at(self, meaning: str) -> int:
        """Where a column stands that there is."""
        return self.meanings.index(meaning)

    def sort(self, cells: list[str]) -> dict[str, str]:
        """What is filled in, by its meaning: an empty cell says nothing."""
        pairs = zip(self.meanings, cells, strict=False)
        return {meaning: cell for meaning, cell in pairs if meaning and cell.strip()}


class TypeColumns:
    """The columns that files of a type may have."""

    def __init__(self, feedback_type: FeedbackType) -> None:
        self.feedback_type = feedback_type
        self.questions: list[FormField] = list(feedback_type.form_fields.all())
        self.statuses: list[Status] = list(feedback_type.statuses.all())

    @cached_property
    def names(self) -> dict[str, str]:
        keys = {each.key: PREFIX + each.key for each in self.questions}
        labels = {normalise(each.label): PREFIX + each.key for each in self.questions}
        fields = {name: name for name in keys.values()}
        fixed = {name: name for name in WRITTEN} | dict.fromkeys(PASSED_OVER, "")
        aliases = {each: known for each, known in _ALIASES.items() if known in fixed}
        return aliases | labels | fields | keys | fixed | {"type_name": ""}

    def read(self, header: list[str]) -> Columns:
        """Raises FileUnreadable with each column that is not known, or there twice."""
        meanings: list[str] = []
        problems: list[str] = []
        hints = Hints()
        for number, name in enumerate(header, start=1):
            meaning = self._meaning(name)
            if meaning is None:
                near = hints.near(normalise(name), self.names)
                problems.append(f"Column {number}, '{name[:60]}', is not known.{near}")
            elif meaning and meaning in meanings:
                problems.append(f"Column {number}, '{name[:60]}', is there twice.")
            meanings.append(meaning or "")
        if not {TITLE, REFERENCE} & {*meanings}:
            problems.append("There is no column 'title', and none named 'reference'.")
        if problems:
            more = f" And {len(problems) - 5} more." if len(problems) > 5 else ""
            raise FileUnreadable(" ".join(problems[:5]) + more)
        return Columns(header, meanings)

    def _meaning(self, name: str) -> str | None:
        plain = normalise(name)
        if not plain:
            return ""
        if plain in self.names:
            return self.names[plain]
        external = plain.removeprefix(EXTERNAL_PREFIX)
        return plain if plain != external and is_name(external) else None
