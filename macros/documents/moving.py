"""A project's types and macros as one document, and from it into another project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction

from feedback.models import FeedbackType, Project
from logs import audit
from logs.models import Action

from ..models import Macro, Secret
from ..models.credentials import SECRET_FIELDS
from ..models.secrets import LONGEST_VALUE, SHORTEST_VALUE
from ..models.usage import SECRET_TAG
from ..tags import normalise
from .applying import fill_macro, make_type
from .concealing import concealed
from .members import read_rows
from .problems import DocumentRefused, Problems
from .versions import note_version
from .writing import Document, macro_document, type_document

FORMAT = 1
_PARTS = ("centerhook", "project", "types", "user_macros", "secrets")
_NEW = "Copy of "


class Existing(models.TextChoices):
    """What becomes of a macro whose name is taken."""

    REFUSE = "refuse", "Refuse the file"
    SKIP = "skip", "Keep the one that is there"
    COPY = "copy", "Add a copy under another name"
    REPLACE = "replace", "Replace it: a new version of it"


class SecretsMissing(DocumentRefused):
    """`names` are those whose values are wanted, as they stand in the file."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__([f"Values are wanted for the secrets {', '.join(names)}."])
        self.names = list(names)


@dataclass
class Imported:
    types: list[FeedbackType] = field(default_factory=list)
    macros: list[Macro] = field(default_factory=list)
    replaced: list[Macro] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)

    def in_words(self) -> str:
        counts = {
            "feedback types": len(self.types),
            "macros": len(self.macros),
            "replaced": len(self.replaced),
            "kept as they were": len(self.skipped),
            "secrets": len(self.secrets),
        }
        said = [f"{count} {what}" for what, count in counts.items() if count]
        return ", ".join(said) or "nothing"


def export_project(
    project: Project,
    *,
    types: Iterable[FeedbackType] | None = None,
    macros: Iterable[Macro] | None = None,
    conceal: bool = True,
) -> Document:
    """Of the whole project, or of the named types and macros only.

    Credentials that somebody typed into a web request become secrets, unless told
    otherwise: values of secrets are in no document.
    """
    chosen = None if macros is None else [each.pk for each in macros]
    rows = project.feedback_types.all() if types is None else types
    mine = Macro.objects.filter(project=project).order_by("name")
    if chosen is not None:
        mine = mine.filter(pk__in=chosen)
    made = [
        {**type_document(each), "macros": _macros(mine.filter(feedback_type=each))}
        for each in rows
    ]
    users = _macros(mine.filter(feedback_type=None)) if types is None else []
    document: Document = {
        "centerhook": {"format": FORMAT},
        "project": {"name": project.name, "description": project.description},
        "types": made,
        "user_macros": users,
    }
    if conceal:
        for step in _steps(document):
            step |= concealed(step)
    document["secrets"] = _secrets(document, project)
    return document


def _macros(rows: Iterable[Macro]) -> list[Document]:
    return [macro_document(each) for each in rows]


def _steps(document: Any) -> Iterator[dict[str, Any]]:
    """Of whatever is in a file, checked or not."""
    groups = [document, *_listed(document, "types")]
    for group in groups:
        for name in ("macros", "user_macros"):
            for macro in _listed(group, name):
                yield from _listed(macro, "steps")


def _listed(data: Any, name: str) -> list[dict[str, Any]]:
    rows = data.get(name) if isinstance(data, dict) else None
    rows = rows if isinstance(rows, list) else []
    return [each for each in rows if isinstance(each, dict)]


def _secret_names(document: Any) -> list[str]:
    """The normalised names that the steps use, each once, in order."""
    found = []
    for step in _steps(document):
        texts = [value for value in step.values() if isinstance(value, str)]
        for text in texts:
            found += [normalise(each[1]) for each in SECRET_TAG.finditer(text)]
        found += [normalise(str(step.get(name) or "")) for name in SECRET_FIELDS]
    return [name for name in dict.fromkeys(found) if name]


def _secrets(document: Document, project: Project) -> list[Document]:
    usable = Secret.objects.usable_in(project.community_id, project.pk)
    hosts = {each.key: each.hosts.split() for each in usable}
    return [
        {"name": name, "hosts": hosts.get(name, [])} for name in _secret_names(document)
    ]


def import_document(
    document: Any,
    project: Project,
    *,
    actor: Any = None,
    secrets: Mapping[str, str] | None = None,
    existing: Existing = Existing.REFUSE,
    dry_run: bool = False,
) -> Imported:
    """Make what the document says in a project, or nothing of it.

    `secrets` are values by name. A type that is there already stays as it is, and gets
    the macros. Raises DocumentRefused with every problem that was found, and
    SecretsMissing where all else is well.
    """
    problems = Problems()
    _check_envelope(document, problems)
    problems.refuse()
    with transaction.atomic():
        made = Imported()
        _make_secrets(document, project, secrets or {}, made, problems)
        for path, row in read_rows(document, "types", "", problems):
            _import_type(project, row, path, existing, made, problems, actor)
        for path, row in read_rows(document, "user_macros", "", problems):
            macro = Macro(project=project)
            _import_macro(macro, row, path, existing, made, problems, actor)
        problems.refuse()
        told = f"{made.in_words()}."
        audit.record(Action.IMPORTED, project, actor=actor, detail=told)
        if dry_run:
            transaction.set_rollback(True)
    return made


def clone_project(
    project: Project, name: str, actor: Any, secrets: Mapping[str, str] | None = None
) -> Project:
    """A project with the same types and macros, and no tickets, runs or secrets.

    Raises DocumentRefused, SecretsMissing.
    """
    made = Project(
        community=project.community, name=name, description=project.description
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


def _check_envelope(document: Any, problems: Problems) -> None:
    if not isinstance(document, dict):
        problems.add("", "This is no file of CenterHook: it has no members.")
        return
    about = document.get("centerhook")
    number = about.get("format") if isinstance(about, dict) else None
    if type(number) is not int or number < 1:
        told = f"This must be the number of the file's format, such as {FORMAT}."
        problems.add("centerhook.format", told)
    elif number > FORMAT:
        told = f"The file is of format {number}, and this CenterHook reads up to"
        problems.add("centerhook.format", f"{told} {FORMAT}. Update CenterHook.")
        problems.refuse()
    for name in set(document) - set(_PARTS):
        problems.add(name[:60], "Unknown member.")
    for path, row in read_rows(document, "secrets", "", problems):
        _check_secret(path, row, problems)


def _check_secret(path: str, row: Any, problems: Problems) -> None:
    fits = isinstance(row, dict) and set(row) <= {"name", "hosts"}
    name = row.get("name") if fits else None
    hosts = row.get("hosts", []) if fits else None
    listed = isinstance(hosts, list) and all(isinstance(each, str) for each in hosts)
    if not (isinstance(name, str) and listed):
        problems.add(path, "This must have a name, and may have a list of hosts.")


def _make_secrets(
    document: Any,
    project: Project,
    values: Mapping[str, str],
    made: Imported,
    problems: Problems,
) -> None:
    known = set(Secret.objects.keys_in(project.community_id, project.pk))
    given = {normalise(name): value for name, value in values.items()}
    hosts = {
        normalise(each["name"]): each.get("hosts", [])
        for each in _listed(document, "secrets")
    }
    wanted = [name for name in _secret_names(document) if name not in known]
    if missing := [name for name in wanted if not given.get(name)]:
        raise SecretsMissing(missing)
    for name in wanted:
        value = given[name]
        if not SHORTEST_VALUE <= len(value) <= LONGEST_VALUE or "\0" in value:
            told = f"A value has {SHORTEST_VALUE} to {LONGEST_VALUE:,} characters."
            problems.add(f"secrets.{name}", told)
            continue
        secret = Secret(community=project.community, project=project, name=name)
        secret.hosts = "\n".join(hosts.get(name, []))
        secret.conceal(value)
        try:
            secret.full_clean()
        except ValidationError as error:
            problems.add_invalid(f"secrets.{name}", error)
            continue
        secret.save()
        made.secrets.append(name)


def _import_type(
    project: Project,
    row: Any,
    path: str,
    existing: Existing,
    made: Imported,
    problems: Problems,
    actor: Any,
) -> None:
    name = row.get("name") if isinstance(row, dict) else None
    named = FeedbackType.objects.filter(project=project, name=name)
    kind = named.first() if isinstance(name, str) else None
    if kind is not None and existing == Existing.REFUSE:
        problems.add(f"{path}.name", f"The project has a type '{name}' already.")
        return
    if kind is None:
        kind = make_type(project, row, path, problems)
        if kind is None:
            return
        made.types.append(kind)
    for where, macro in read_rows(row, "macros", path, problems):
        new = Macro(feedback_type=kind)
        _import_macro(new, macro, where, existing, made, problems, actor)


def _import_macro(
    macro: Macro,
    row: Any,
    path: str,
    existing: Existing,
    made: Imported,
    problems: Problems,
    actor: Any,
) -> None:
    macro.find_owners()
    name = row.get("name") if isinstance(row, dict) else None
    rivals = Macro.objects.filter(
        project=macro.project, feedback_type=macro.feedback_type
    )
    rival = rivals.filter(name=name).first() if isinstance(name, str) else None
    if rival is not None:
        if existing == Existing.REFUSE:
            problems.add(f"{path}.name", f"There is a macro '{name}' already.")
            return
        if existing == Existing.SKIP:
            made.skipped.append(str(name))
            return
        if existing == Existing.REPLACE:
            macro = rival
        else:
            row = {**row, "name": _free_name(str(name), rivals)}
    is_new = macro.pk is None
    # Apart, so that what is half made is gone where the rest is read on.
    with transaction.atomic():
        if not fill_macro(macro, row, path, problems):
            transaction.set_rollback(True)
            return
        note_version(macro, actor, "Imported.")
    (made.macros if is_new else made.replaced).append(macro)


def _free_name(name: str, rivals: models.QuerySet[Macro]) -> str:
    taken = set(rivals.values_list("name", flat=True))
    names = (f"{_NEW if n == 1 else f'Copy {n} of '}{name}" for n in range(1, 1000))
    return next(each[:100] for each in names if each[:100] not in taken)
