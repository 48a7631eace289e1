"""What a listener in a file names: macros, secrets and API keys."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from feedback.access.keys import Actor
from feedback.models import ApiKey, FeedbackType, Project
from feedback.names import fold

from ..models import Macro, Secret
from ..tags import normalise
from .filters import COMMUNITY, LEVELS, PROJECT, TYPE
from .problems import Problems, member
from .writing import Document

# The type of a macro, its project (neither: the community has it), and its name.
_Key = tuple[int | None, int | None, str]


def macro_members(macro: Macro, of: FeedbackType | None) -> Document:
    """How a listener of a type, or of none, names the macro in a file."""
    if macro.feedback_type is not None and macro.feedback_type != of:
        name = {"type": macro.feedback_type.name, "macro": macro.name}
        return {"macro": name, "macro_of": TYPE}
    level = (
        TYPE if macro.feedback_type_id else PROJECT if macro.project_id else COMMUNITY
    )
    return {"macro": macro.name, "macro_of": level}


class MacroNames:
    """The macros that a file may name: its own as it calls them, and those there."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._made: dict[_Key, Macro] = {}

    def note(self, name: str, macro: Macro) -> None:
        """A copy has another name than the file says."""
        self._made[macro.feedback_type_id, macro.project_id, fold(name)] = macro

    def read(
        self, row: Document, of: FeedbackType | None, path: str, problems: Problems
    ) -> Macro | None:
        """The macro that a row names; says what is wrong where it does so wrongly."""
        name, level = row.get("macro"), row.get("macro_of")
        if isinstance(name, dict) and set(name) == {"type", "macro"}:
            types = self.project.feedback_types.filter(name__iexact=str(name["type"]))
            of, name, level = types.first(), name["macro"], TYPE
        if level is not None and level not in LEVELS:
            problem = f"This must be one of {', '.join(LEVELS)}."
            problems.add(member(path, "macro_of"), problem)
        elif name is not None and not isinstance(name, str):
            problem = "This must be a macro's name, or the names of its type and of it."
            problems.add(member(path, "macro"), problem)
        elif name is not None:
            if chosen := self._named(name, level, of):
                return chosen
            whose = f" of the {level}" if level else ""
            problem = f"There is no macro '{name[:60]}'{whose}."
            problems.add(member(path, "macro"), problem)
        return None

    def _named(
        self, name: str, level: str | None, of: FeedbackType | None
    ) -> Macro | None:
        community, project = self.project.community_id, self.project.pk
        for each in LEVELS if level is None else (level,):
            if each == TYPE and of is None:
                continue
            of_type = of.pk if of and each == TYPE else None
            of_project = None if each == COMMUNITY else project
            if made := self._made.get((of_type, of_project, fold(name))):
                return made
            rows = Macro.objects.filter(
                community=community, project=of_project, feedback_type=of_type
            )
            if chosen := rows.filter(name__iexact=name).first():
                return chosen
        return None


def secret_named(
    project: Project, name: object, actor: Actor | None, path: str, problems: Problems
) -> Secret | None:
    """One that the actor may see; the project's own wins over the community's."""
    if name is None:
        return None
    if isinstance(name, str):
        usable = Secret.objects.usable_in(project.community_id, project.pk)
        if actor is not None:
            usable = usable.filter(pk__in=Secret.objects.visible_to(actor).values("pk"))
        rows = list(usable.filter(key=normalise(name)))
        rows.sort(key=lambda each: each.project_id is None)
        if rows:
            return rows[0]
    problems.add(path, f"There is no secret '{str(name)[:60]}'.")
    return None


def key_named(
    project: Project, name: object, actor: Actor | None, path: str, problems: Problems
) -> ApiKey | None:
    """One that the actor may see.

    Refused where it is not there: without one, any key would do.
    """
    if name is None:
        return None
    if isinstance(name, str):
        rows: QuerySet[ApiKey] = ApiKey.objects.filter(community=project.community)
        if actor is not None:
            rows = rows.filter(pk__in=ApiKey.objects.visible_to(actor).values("pk"))
        rows = rows.filter(Q(project=None) | Q(project=project), name__iexact=name)
        if len(keys := list(rows[:2])) == 1:
            return keys[0]
    problem = f"There is no one API key '{str(name)[:60]}' of the community. Make it"
    problems.add(path, f"{problem} first.")
    return None
