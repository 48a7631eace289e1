"""A new project like another one, and a new macro beside the one that it is like."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import transaction

from feedback.access.keys import Actor
from feedback.models import Project
from feedback.names import fold
from logs import audit
from logs.models import Action

from ..models import Macro
from .applying import fill_macro
from .exporting import export_project
from .importing import import_document
from .problems import Problems
from .writing import macro_document

# As many characters as a macro's name can have.
_MAX_NAME = 100


def clone_project(
    project: Project, name: str, actor: Actor, secrets: Mapping[str, str] | None = None
) -> Project:
    """A project with the same types and macros, and no tickets, runs or secrets.

    Raises ConfigRefused, SecretsMissing.
    """
    made = Project(
        community=project.community,
        name=name,
        description=project.description,
        time_zone=project.time_zone,
    )
    problems = Problems()
    try:
        made.full_clean()
    except ValidationError as error:
        problems.add_invalid("", error)
        problems.refuse()
    with transaction.atomic():
        made.save()
        document = export_project(project, conceal=False)
        import_document(document, made, actor=actor, secrets=secrets)
        audit.record(Action.CLONED, made, actor=actor, detail=f"From {project}.")
    return made


@transaction.atomic
def clone_macro(macro: Macro, actor: Actor) -> Macro:
    """A macro with the same steps and options, and no triggers or schedules.

    Raises ConfigRefused, PermissionDenied.
    """
    made = Macro.at(macro.owner)
    problems = Problems()
    fill_macro(
        made,
        {**macro_document(macro), "name": _free_name(macro)},
        "",
        problems,
        actor=actor,
        note=f"Duplicated from {macro}.",
        action=Action.CLONED,
    )
    problems.refuse()
    return made


def _free_name(macro: Macro) -> str:
    beside = Macro.objects.filter(
        community=macro.community_id,
        project=macro.project_id,
        feedback_type=macro.feedback_type_id,
    )
    taken = {fold(name) for name in beside.values_list("name", flat=True)}
    number = 1
    while True:
        end = f" {number}" if number > 1 else ""
        name = f"Copy of {macro.name}"[: _MAX_NAME - len(end)].rstrip() + end
        if fold(name) not in taken:
            return name
        number += 1
