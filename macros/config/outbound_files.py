"""Data packages and record lookups in files: under their type, or beside the types.

The key that each is called by is its own in the whole community: a copy gets another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from feedback.lookups import LookupBroken, columns_of
from feedback.models import DataPackage, FeedbackType, LookupKind, Project, RecordLookup
from feedback.names import fold
from feedback.packages import snapshots
from feedback.packages.tables import PackageBroken, opened

from .filters import FilterImport, filter_members
from .imported import Import, free_name
from .members import read_members, settings_of
from .problems import ConfigRefused, member
from .writing import Document, plain, settings_in

Outbound = DataPackage | RecordLookup
_MAX_KEY = 60


def package_document(row: DataPackage) -> Document:
    """Raises ConfigRefused where it has lost a part."""
    try:
        opened(row)
    except PackageBroken as broken:
        raise _lost(row, str(broken)) from None
    return plain(settings_in(row) | filter_members(row.filter))


def lookup_document(row: RecordLookup) -> Document:
    """Raises ConfigRefused where it has lost a part."""
    try:
        columns_of(row)
    except LookupBroken as broken:
        raise _lost(row, str(broken)) from None
    return plain({"subject_kind": row.subject_kind} | settings_in(row))


def _lost(row: Outbound, why: str) -> ConfigRefused:
    noun = str(row._meta.verbose_name)
    problem = f"The {noun} {row} has lost a part: {why} Mend or delete it, then export"
    return ConfigRefused([f"{problem} again."])


class OutboundImport:
    """Makes the packages and lookups of a file.

    One that is new gives nothing out until a person switches it on; one that is
    replaced keeps its key, and stays on or off as it is.
    """

    def __init__(self, importing: Import, filters: FilterImport) -> None:
        self.importing, self.filters = importing, filters
        self.problems = importing.problems

    def add_package(self, owner: FeedbackType | Project, row: Any, path: str) -> None:
        before = len(self.problems.messages)
        made = _given_to(DataPackage(), owner)
        self._read(made, row, path, ("filter", "filter_of"))
        if not self._settled(made, path, what=made.what):
            return
        made.filter = self.filters.chosen_by(
            row, path, made.feedback_type, made.subject_kind
        )
        if len(self.problems.messages) == before and self._kept(made, path):
            self.importing.made.packages.append(made)

    def add_lookup(self, owner: FeedbackType | Project, row: Any, path: str) -> None:
        before = len(self.problems.messages)
        made = _given_to(RecordLookup(), owner)
        self._read(made, row, path, ("subject_kind",))
        given = row.get("subject_kind") if isinstance(row, dict) else None
        made.subject_kind = LookupKind.FEEDBACK if given is None else str(given)[:10]
        if made.subject_kind not in LookupKind.values:
            problem = f"This must be one of {', '.join(LookupKind.values)}."
            self.problems.add(member(path, "subject_kind"), problem)
            return
        if not self._settled(made, path, subject_kind=made.subject_kind):
            return
        if len(self.problems.messages) == before and self._kept(made, path):
            self.importing.made.lookups.append(made)

    def _read(
        self, made: Outbound, row: Any, path: str, parts: Collection[str]
    ) -> None:
        fields = settings_of(type(made))
        values = read_members(row, path, self.problems, fields=fields, parts=parts)
        for name, field in fields.items():
            setattr(made, name, values.get(name, field.get_default()))
        made.is_active = False

    def _settled(self, made: Outbound, path: str, **alike: str) -> bool:
        """Whether it is to be made, under which name and key."""
        community = type(made)._default_manager.filter(community=made.community)
        rivals = community.filter(
            project=made.project, feedback_type=made.feedback_type, **alike
        )
        if not self.importing.settle(made, rivals, path):
            return False
        others = community.exclude(pk=made.pk)
        if made.pk is not None:
            made.key = community.get(pk=made.pk).key
        names = list(others.values_list("name", flat=True))
        if fold(made.name) in map(fold, names):
            made.name = free_name(made.name, names)
        made.key = _free_key(made.key, set(others.values_list("key", flat=True)))
        return True

    def _kept(self, made: Outbound, path: str) -> bool:
        """Whether it is a new one that was made."""
        if not self.importing.fits(made, path):
            return False
        rows = type(made)._default_manager.filter(pk=made.pk)
        stored = rows.first() if made.pk else None
        self.importing.keep(stored, made)
        if isinstance(made, DataPackage) and made.is_active:
            snapshots.keep_up(made)
        done = self.importing.made
        noun = str(made._meta.verbose_name).capitalize()
        sentence = f"{noun} {made} {'is replaced' if stored else 'is new'}"
        sentence += "." if made.is_active else ", and off."
        done.sentences.append(f"{sentence} Its key is {made.key}.")
        if stored is not None:
            done.replaced.append(made)
        return stored is None


def _given_to(made: Any, owner: FeedbackType | Project) -> Any:
    if isinstance(owner, FeedbackType):
        made.feedback_type = owner
    else:
        made.project = owner
    made.find_owners()
    return made


def _free_key(key: str, taken: Iterable[str]) -> str:
    """The key, or with the first number behind it that nothing has."""
    number, free = 1, key
    while free in taken:
        number += 1
        end = f"-{number}"
        free = f"{key[: _MAX_KEY - len(end)].rstrip('-')}{end}"
    return free
