"""Saved filters in files: written, and made from what a file says."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from feedback.models import Community, FeedbackType, Filter, Project
from feedback.names import fold

from . import conditions
from .imported import CHOOSE, Existing, Import, free_name
from .members import read_members, settings_of
from .problems import member
from .writing import Document, plain, settings_in

# What a filter or a macro belongs to, as files name it: the nearest first.
TYPE, PROJECT, COMMUNITY = "type", "project", "community"
LEVELS = (TYPE, PROJECT, COMMUNITY)


def filter_document(row: Filter) -> Document:
    """Raises ConfigRefused where the filter has lost a part."""
    return plain({**settings_in(row), "conditions": conditions.named(row)})


def level_of(row: Filter) -> str:
    if row.feedback_type_id is not None:
        return TYPE
    return PROJECT if row.project_id is not None else COMMUNITY


def filter_members(row: Filter | None) -> Document:
    """How what selects by a filter names it in a file."""
    if row is None:
        return {}
    return {"filter": row.name, "filter_of": level_of(row)}


class FilterImport:
    """The filters of a file, by what they are called in it."""

    def __init__(self, importing: Import) -> None:
        self.importing = importing
        # As they are called in the file: a copy has another name.
        self._made: dict[tuple[int | None, str, str], Filter] = {}

    def add(self, owner: FeedbackType | Project, row: Any, path: str) -> None:
        importing, problems = self.importing, self.importing.problems
        made = _new(owner)
        fields = settings_of(Filter)
        before = len(problems.messages)
        values = read_members(row, path, problems, fields=fields)
        for name, field in fields.items():
            setattr(made, name, values.get(name, field.get_default()))
        where = member(path, "conditions")
        made.conditions = conditions.keyed(
            made, made.conditions, where, problems, importing.source
        )
        name = made.name
        if len(problems.messages) > before:
            return
        rival = _rivals(made).filter(name__iexact=name).first()
        kept = made if rival is None else self._instead(rival, made, path)
        if kept is not None and self.importing.fits(kept, path):
            self._keep(rival, kept)
            self._made[kept.feedback_type_id, kept.subject_kind, fold(name)] = kept

    def _instead(self, rival: Filter, made: Filter, path: str) -> Filter | None:
        """What becomes of one whose name is taken: a filter that is alike is it."""
        importing = self.importing
        alike = rival.conditions == made.conditions
        if alike or importing.existing == Existing.SKIP:
            return rival
        if importing.existing == Existing.REFUSE:
            problem = f"There is a filter '{made.name}' already. {CHOOSE}"
            importing.problems.add(f"{path}.name", problem)
            return None
        if importing.existing == Existing.COPY:
            taken = _rivals(made).values_list("name", flat=True)
            made.name = free_name(made.name, taken)
            return made
        made.pk, made.created_at = rival.pk, rival.created_at
        made._state.adding = False
        return made

    def _keep(self, rival: Filter | None, row: Filter) -> None:
        made = self.importing.made
        if row is rival:
            sentence = f"Filter {row} exists already and stays as it is."
            made.sentences.append(sentence)
            return
        is_new = row.pk is None
        self.importing.keep(None if is_new else rival, row)
        (made.filters if is_new else made.replaced).append(row)
        words = "is new" if is_new else "is replaced"
        made.sentences.append(f"Filter {row} ({row.selects}) {words}.")

    def chosen_by(
        self, row: Any, path: str, owner: FeedbackType | None, kind: str
    ) -> Filter | None:
        """The filter that a row names; says what is wrong where it does so wrongly.

        `owner` is the type of what selects by it, `kind` what that works on.
        """
        name = row.get("filter") if isinstance(row, dict) else None
        level = row.get("filter_of") if isinstance(row, dict) else None
        problems = self.importing.problems
        if level is not None and level not in LEVELS:
            problem = f"This must be one of {', '.join(LEVELS)}."
            problems.add(member(path, "filter_of"), problem)
        elif name is not None and not isinstance(name, str):
            problems.add(member(path, "filter"), "This must be a filter's name.")
        elif name is not None:
            chosen = self._named(name, level, owner, kind)
            if chosen is None:
                whose = f" of the {level}" if level else ""
                problem = f"There is no filter '{name[:60]}'{whose}."
                problems.add(member(path, "filter"), problem)
            return chosen
        return None

    def _named(
        self, name: str, level: str | None, owner: FeedbackType | None, kind: str
    ) -> Filter | None:
        """The nearest, without level."""
        project = self.importing.project
        for each in LEVELS if level is None else (level,):
            if each == TYPE and owner is None:
                continue
            own = owner if each == TYPE else None
            made = self._made.get((own.pk if own else None, kind, fold(name)))
            if made is not None and level_of(made) == each:
                return made
            owners = {TYPE: owner, PROJECT: project, COMMUNITY: project.community}
            rows = _of(owners[each]).filter(subject_kind=kind, name__iexact=name)
            if chosen := rows.first():
                return chosen
        return None


def _new(owner: FeedbackType | Project) -> Filter:
    if isinstance(owner, FeedbackType):
        made = Filter(feedback_type=owner)
    else:
        made = Filter(project=owner)
    made.find_owners()
    return made


def _of(owner: FeedbackType | Project | Community | None) -> QuerySet[Filter]:
    """The filters that belong to this, and not to something in it."""
    if isinstance(owner, FeedbackType):
        return Filter.objects.filter(feedback_type=owner)
    if isinstance(owner, Project):
        return Filter.objects.filter(project=owner, feedback_type=None)
    return Filter.objects.filter(community=owner, project=None)


def _rivals(row: Filter) -> QuerySet[Filter]:
    return _of(row.owner).filter(subject_kind=row.subject_kind)
