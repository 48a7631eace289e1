"""A new project like another one."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import transaction

from feedback.access.keys import Actor
from feedback.models import Project
from logs import audit
from logs.models import Action

from .exporting import export_project
from .importing import import_document
from .problems import Problems


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
