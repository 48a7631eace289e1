"""A project's types and macros as one document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from feedback.models import FeedbackType, Project

from ..models import Macro, Secret, kind_named
from .concealing import Concealer
from .writing import Document, macro_document, type_document

FORMAT = 1


def export_project(
    project: Project,
    *,
    types: Iterable[FeedbackType] | None = None,
    macros: Iterable[Macro] | None = None,
    conceal: bool = True,
) -> Document:
    """Of the whole project, or of the named types and macros only.

    Credentials that somebody typed into a web request become secrets, unless told
    otherwise: values of secrets are in no document. Raises ConfigRefused where one
    can't be taken out.
    """
    usable = Secret.objects.usable_in(project.community_id, project.pk)
    names = set(usable.values_list("key", flat=True))
    vault = Secret.objects.open(project.community_id, project.pk, names)
    concealer = Concealer(vault) if conceal else None
    mine = Macro.objects.filter(project=project).order_by("name")
    rows: Any = project.feedback_types.all()
    if macros is not None:
        mine = mine.filter(pk__in=[each.pk for each in macros])
        rows = rows.filter(macros__in=mine).distinct()
    made = [
        {
            **type_document(each),
            "macros": _macros(mine.filter(feedback_type=each), concealer),
        }
        for each in (rows if types is None else types)
    ]
    users = mine.filter(feedback_type=None) if types is None else mine.none()
    document: Document = {
        "centerhook": {"format": FORMAT},
        "project": {"name": project.name, "description": project.description},
        "types": made,
        "user_macros": _macros(users, concealer),
    }
    hosts = concealer.hosts if concealer else {}
    # The project's own come last: they win over the community's of the same name.
    rivals = sorted(usable, key=lambda each: each.project_id is not None)
    hosts |= {each.key: each.hosts.split() for each in rivals}
    document["secrets"] = [
        {"name": name, "hosts": hosts.get(name, [])} for name in secret_names(document)
    ]
    return document


def _macros(rows: Iterable[Macro], concealer: Concealer | None) -> list[Document]:
    found = [macro_document(each) for each in rows]
    return [concealer.conceal(each) for each in found] if concealer else found


def _steps(document: Any) -> Iterator[dict[str, Any]]:
    """Of whatever is in a file, checked or not."""
    groups = [document, *listed(document, "types")]
    for group in groups:
        for name in ("macros", "user_macros"):
            for macro in listed(group, name):
                yield from listed(macro, "steps")


def listed(data: Any, name: str) -> list[dict[str, Any]]:
    rows = data.get(name) if isinstance(data, dict) else None
    rows = rows if isinstance(rows, list) else []
    return [each for each in rows if isinstance(each, dict)]


def secret_names(document: Any) -> list[str]:
    """The normalised names that the steps use, each once, in order."""
    names: list[str] = []
    for step in _steps(document):
        kind = kind_named(step.get("kind"))
        names += kind.secrets_in(step) if kind else ()
    return list(dict.fromkeys(names))
