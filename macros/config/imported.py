"""What an import works with, and what it has made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.db.models import QuerySet

from feedback.access.actors import may
from feedback.access.keys import Actor
from feedback.models import (
    DataPackage,
    ExternalSource,
    FeedbackType,
    Filter,
    Project,
    RecordLookup,
)
from feedback.names import fold
from logs import audit

from ..models import Listener, Macro, Schedule, Trigger
from .members import settings_of
from .problems import Problems, member

NOTE = "Imported."
CHOOSE = "Choose what is to become of what is there."
_NEW = "Copy of "


class Existing(models.TextChoices):
    """What becomes of what is there under a name that the file has as well."""

    REFUSE = "refuse", "Refuse the file"
    SKIP = "skip", "Keep the one that is there"
    COPY = "copy", "Add a copy under another name"
    REPLACE = "replace", "Replace it: a new version of it"


@dataclass
class Imported:
    """What an import made, replaced and left as it was."""

    types: list[FeedbackType] = field(default_factory=list)
    filters: list[Filter] = field(default_factory=list)
    macros: list[Macro] = field(default_factory=list)
    triggers: list[Trigger] = field(default_factory=list)
    schedules: list[Schedule] = field(default_factory=list)
    listeners: list[Listener] = field(default_factory=list)
    sources: list[ExternalSource] = field(default_factory=list)
    packages: list[DataPackage] = field(default_factory=list)
    lookups: list[RecordLookup] = field(default_factory=list)
    replaced: list[models.Model] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    # A sentence for each row, to be read before it is done.
    sentences: list[str] = field(default_factory=list)

    def in_words(self) -> str:
        counts = [
            (len(self.types), "feedback type", "feedback types"),
            (len(self.filters), "filter", "filters"),
            (len(self.macros), "macro", "macros"),
            (len(self.triggers), "trigger", "triggers"),
            (len(self.schedules), "schedule", "schedules"),
            (len(self.listeners), "listener", "listeners"),
            (len(self.sources), "external source", "external sources"),
            (len(self.packages), "data package", "data packages"),
            (len(self.lookups), "record lookup", "record lookups"),
            (len(self.replaced), "replaced", "replaced"),
            (len(self.skipped), "kept as it was", "kept as they were"),
            (len(self.secrets), "secret", "secrets"),
        ]
        parts = [f"{n} {one if n == 1 else many}" for n, one, many in counts if n]
        return ", ".join(parts) or "nothing"


@dataclass
class Import:
    """One import into a project; `source` names the project that the file is from."""

    project: Project
    source: str
    existing: Existing
    actor: Actor | None
    problems: Problems
    made: Imported = field(default_factory=Imported)

    def settle(
        self,
        made: Listener | ExternalSource | DataPackage | RecordLookup,
        rivals: QuerySet[Any],
        path: str,
    ) -> bool:
        """Whether it is to be made; where its name is taken, as was chosen.

        One that replaces another keeps what no file says of it, and is on or off as
        that is.
        """
        rival = rivals.filter(name__iexact=made.name).first()
        noun = str(made._meta.verbose_name)
        if rival is None:
            return True
        if self.existing == Existing.REFUSE:
            problem = f"There is a {noun} '{made.name}' already. {CHOOSE}"
            self.problems.add(member(path, "name"), problem)
        elif self.existing == Existing.SKIP:
            self.made.skipped.append(made.name)
            sentence = f"{noun.capitalize()} {made} exists already and stays as it is."
            self.made.sentences.append(sentence)
        elif self.existing == Existing.COPY:
            made.name = free_name(made.name, rivals.values_list("name", flat=True))
        else:
            own = {field.name for field in made._meta.concrete_fields}
            for name in own - {*settings_of(type(made))} | {"is_active"}:
                setattr(made, name, getattr(rival, name))
            made._state.adding = False
        return self.existing in (Existing.COPY, Existing.REPLACE)

    def fits(self, row: models.Model, path: str) -> bool:
        """Whether the row passes its checks; says why not."""
        try:
            row.clean_fields()  # First: the others rely on what it reads.
            row.full_clean()
        except ValidationError as error:
            self.problems.add_invalid(path, error)
            return False
        return True

    def keep(self, before: models.Model | None, row: models.Model) -> None:
        """Save a row that was checked. Raises PermissionDenied."""
        row.save()
        opts = row._meta
        action = "add" if before is None else "change"
        permission = f"{opts.app_label}.{action}_{opts.model_name}"
        if self.actor is not None and not may(self.actor, permission, row):
            raise PermissionDenied
        audit.record_change(before, row, actor=self.actor, detail=NOTE)


def free_name(name: str, taken: Iterable[str]) -> str:
    """`Copy of <name>`, or the next of them that is not taken."""
    folded = {fold(each) for each in taken}
    names = (f"{_NEW if n == 1 else f'Copy {n} of '}{name}" for n in range(1, 1000))
    return next(each[:100] for each in names if fold(each[:100]) not in folded)
