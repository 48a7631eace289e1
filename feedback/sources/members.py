"""The members that a call of an external source may have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..forms import PREFIX
from ..models import ExternalSource, FormField, Status
from ..names import normalise
from ..selection.external import EXTERNAL_PREFIX
from .faults import Faults

# In the URL: for forms, which can send an API key nowhere else.
KEY_PARAMETER = "api_key"
# In one call. A form has some dozens.
MAX_MEMBERS = 1_000

TITLE, DESCRIPTION, STATUS = "title", "description", "status"
SUBMITTER, VISIBILITY, EXTERNAL = "submitter", "visibility", "external"
FIXED = (TITLE, DESCRIPTION, STATUS, SUBMITTER, VISIBILITY, EXTERNAL)


class Files(list[Any]):
    """Uploaded files: what a form sends under the name of one."""


@dataclass(frozen=True, slots=True)
class Given:
    """A member under the name that the caller wrote."""

    name: str
    value: object


class Members:
    """Names of one source: of what every ticket has, and of the form's questions.

    A question is named by its key or its label, however they are written. Where that is
    the name of something else, `field_<key>` names it.
    """

    def __init__(self, source: ExternalSource) -> None:
        self.source = source
        feedback_type = source.feedback_type
        self.questions: list[FormField] = list(feedback_type.form_fields.all())
        self.statuses: list[Status] = list(feedback_type.statuses.all())

    @cached_property
    def names(self) -> dict[str, str]:
        """What each name stands for: one of FIXED, or `field_<key>`."""
        keys = {question.key: PREFIX + question.key for question in self.questions}
        labels = {
            normalise(question.label): PREFIX + question.key
            for question in self.questions
        }
        fields = {name: name for name in keys.values()}
        return labels | fields | keys | {name: name for name in FIXED}

    def name_of(self, question: FormField) -> str:
        """The shortest by which a question is given."""
        own = PREFIX + question.key
        return question.key if self.names[question.key] == own else own

    @property
    def needs_status(self) -> bool:
        return self.source.default_status_id is None and bool(self.statuses)

    @property
    def needs_submitter(self) -> bool:
        submitter = self.source.default_submitter
        return submitter is None or submitter.erased_at is not None

    def sort(self, sent: Mapping[str, object], faults: Faults) -> dict[str, Given]:
        """What was sent, by what it stands for; a fault for each unknown member."""
        if len(sent) > MAX_MEMBERS:
            faults.add([], f"Send at most {MAX_MEMBERS:,} members.")
            return {}
        known: dict[str, Given] = {}
        for name, value in sent.items():
            meant = self._meant(name)
            if isinstance(value, Files):
                continue
            if meant is None:
                faults.add_unknown(name, self.names)
            elif meant in known:
                other = known[meant].name
                faults.add([name], f"This is given twice: '{other}' means the same.")
            else:
                known[meant] = Given(name, value)
        return known

    def _meant(self, name: str) -> str | None:
        plain = normalise(name)
        if plain in self.names:
            return self.names[plain]
        if plain.startswith(EXTERNAL_PREFIX) and plain != EXTERNAL_PREFIX:
            return plain
        return None
