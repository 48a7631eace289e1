"""Triggers and schedules in files: under their macro, each with its filter by name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from django.db import models
from django.utils.dateparse import parse_datetime

from ..models import Automation, Macro, Schedule, Trigger
from .events import named_details, take_details
from .filters import FilterImport, filter_members
from .imported import Import
from .members import read_members, read_rows, settings_of
from .problems import Problems, member
from .writing import Document, plain, settings_in

# The member of a macro that lists them, and what they are.
KINDS: Mapping[str, type[Automation]] = {"triggers": Trigger, "schedules": Schedule}
_NO_ZONE = "Give the moment with its zone, such as 2026-11-23T09:30:00Z."


def automation_documents(macro: Macro) -> Document:
    """Raises ConfigRefused where one has lost a part."""
    return {
        name: [_document(row) for row in kind._default_manager.filter(macro=macro)]
        for name, kind in KINDS.items()
    }


def _document(row: Automation) -> Document:
    document = settings_in(row)
    if isinstance(row, Trigger):
        document["event_details"] = named_details(row)
    return plain(document | filter_members(row.filter))


class AutomationImport:
    """Makes the triggers and schedules of macros.

    A schedule that is new is off until a person switches it on: nothing begins to run
    by the clock because a file was read. A trigger is on or off as the file says, since
    it acts on nothing but what happens from then on. One that is replaced stays on or
    off as it is.
    """

    def __init__(self, importing: Import, filters: FilterImport) -> None:
        self.importing = importing
        self.filters = filters

    def all_of(self, macro: Macro, document: object, path: str) -> None:
        for name, kind in KINDS.items():
            for where, row in read_rows(document, name, path, self.importing.problems):
                self._one(kind, macro, row, where)

    def _one(
        self, kind: type[Automation], macro: Macro, row: object, path: str
    ) -> None:
        problems, before = (
            self.importing.problems,
            len(self.importing.problems.messages),
        )
        fields = settings_of(kind)
        parts = ("filter", "filter_of")
        values = read_members(row, path, problems, fields=fields, parts=parts)
        rivals = kind._default_manager.filter(macro=macro)
        name = values.get("name")
        stored = rivals.filter(name__iexact=name).first() if name else None
        made: Any = kind(macro=macro) if stored is None else rivals.get(pk=stored.pk)
        made.find_owners()
        is_on = kind is not Schedule if stored is None else stored.is_active
        for each, field in fields.items():
            values.setdefault(each, field.get_default())
        take_settings(made, values, path, problems)
        made.is_active = made.is_active and is_on
        if isinstance(made, Trigger):
            take_details(made, path, problems)
        made.filter = self.filters.chosen_by(
            row, path, macro.feedback_type, macro.subject_kind
        )
        if len(problems.messages) == before and self.importing.fits(made, path):
            self._keep(stored, made)

    def _keep(self, stored: Automation | None, row: Any) -> None:
        made = self.importing.made
        self.importing.keep(stored, row)
        if stored is not None:
            made.replaced.append(row)
        elif isinstance(row, Trigger):
            made.triggers.append(row)
        else:
            made.schedules.append(row)
        noun = str(row._meta.verbose_name).capitalize()
        words = "is new" if stored is None else "is replaced"
        state = "" if row.is_active else ", and off"
        made.sentences.append(f"{noun} {row} of {row.macro} {words}{state}.")


def take_settings(
    row: Automation, values: Mapping[str, object], path: str, problems: Problems
) -> None:
    """Give the row what a document says, with moments in UTC."""
    fields = settings_of(type(row))
    for name, value in values.items():
        is_moment = isinstance(fields[name], models.DateTimeField)
        if is_moment and _lacks_zone(value):
            problems.add(member(path, name), _NO_ZONE)
        setattr(row, name, _in_utc(value) if is_moment else value)


def _lacks_zone(value: object) -> bool:
    try:
        moment = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        return False
    return moment is not None and moment.tzinfo is None


def _in_utc(value: object) -> object:
    """PostgreSQL takes offsets below 16 hours only, and ISO 8601 has them up to 24."""
    try:
        moment = parse_datetime(value) if isinstance(value, str) else None
        return moment.astimezone(UTC) if moment and moment.tzinfo else value
    except (OverflowError, ValueError):
        return value
