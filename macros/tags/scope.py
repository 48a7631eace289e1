"""What a template may name, and what it reads for one subject."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from feedback.names import normalise

from ..listeners.payloads import Payload

# The kinds of subject that a template can be rendered for.
FEEDBACK, TESTER = SUBJECT_KINDS = ("feedback", "tester")


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """A form field; `type` is one of text, number, boolean, date, list."""

    key: str
    label: str
    type: str
    sample: str


@dataclass(frozen=True)
class Scope:
    """The names a template may use, all normalised; `subject_kind` is one of
    SUBJECT_KINDS."""

    fields: Mapping[str, FieldInfo]
    secrets: frozenset[str]
    subject_kind: str = FEEDBACK

    @classmethod
    def of(
        cls,
        fields: Iterable[FieldInfo] = (),
        secrets: Iterable[str] = (),
        subject_kind: str = FEEDBACK,
    ) -> Scope:
        listed = list(fields)
        known: dict[str, FieldInfo] = {}
        # Authors see labels, so a label wins over another field's key.
        for info in listed:
            known.setdefault(normalise(info.label), info)
        for info in listed:
            known.setdefault(normalise(info.key), info)
        return cls(known, frozenset(normalise(name) for name in secrets), subject_kind)


@dataclass(frozen=True, slots=True)
class Beginning:
    """What started a run without a click; empty where a person did.

    `before` has what a change left behind on the subject, under the names that
    conditions have for it.
    """

    trigger: str = ""
    scheduled_for: datetime | None = None
    before: Mapping[str, object] = field(default_factory=dict)
    changed_fields: Sequence[str] = ()
    changed_by: str = ""


@dataclass(slots=True)
class RenderContext:
    """One subject's values, read by attribute, so that no model is imported here."""

    # A ticket or a tester, and its page.
    subject: Any
    subject_url: str
    macro: str
    run_id: str
    delivery_id: str
    now: datetime
    # Normalised name -> value.
    secrets: Mapping[str, str] = field(default_factory=dict)
    # The name of the macro's project, for testers, who are in none themselves.
    project: str = ""
    beginning: Beginning = field(default_factory=Beginning)
    # What the event says that a listener answers to.
    payload: Payload | None = None
    # How many characters the filters of the template at work have gone over.
    filtered: int = 0

    @classmethod
    def for_secrets(cls, secrets: Mapping[str, str]) -> RenderContext:
        """What the tags of secrets read, and no others."""
        return cls(None, "", "", "", "", datetime.min, secrets)
