"""From a document to a project's types and macros."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction

from feedback.models import FeedbackType, Project
from logs import audit
from logs.differences import origin_in
from logs.models import Action

from ..models import Macro, Secret
from ..models.secrets import LONGEST_VALUE, SHORTEST_VALUE
from ..tags import normalise
from .applying import fill_macro, make_type
from .exporting import FORMAT, listed, secret_names
from .members import read_rows
from .problems import DocumentRefused, Problems
from .versions import note_version

_PARTS = ("centerhook", "project", "types", "user_macros", "secrets")
_NEW = "Copy of "
# Fit for whatever a secret may be used for, also to sign with.
_STAND_IN = f"whsec_{b64encode(bytes(32)).decode()}"
_BY_IMPORT = "By an import."
_CHOOSE = "Choose what is to become of what is there."
_KEPT = "an address that is a tag"


class Existing(models.TextChoices):
    """What becomes of a macro whose name is taken."""

    REFUSE = "refuse", "Refuse the file"
    SKIP = "skip", "Keep the one that is there"
    COPY = "copy", "Add a copy under another name"
    REPLACE = "replace", "Replace it: a new version of it"


@dataclass
class Imported:
    types: list[FeedbackType] = field(default_factory=list)
    macros: list[Macro] = field(default_factory=list)
    replaced: list[Macro] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    # A sentence for each type and macro, to be read before it is done.
    told: list[str] = field(default_factory=list)

    def in_words(self) -> str:
        counts = [
            (len(self.types), "feedback type", "feedback types"),
            (len(self.macros), "macro", "macros"),
            (len(self.replaced), "replaced", "replaced"),
            (len(self.skipped), "kept as it was", "kept as they were"),
            (len(self.secrets), "secret", "secrets"),
        ]
        said = [f"{n} {one if n == 1 else many}" for n, one, many in counts if n]
        return ", ".join(said) or "nothing"


class SecretsMissing(DocumentRefused):
    """`names` are those whose values are wanted; `made` is what they are wanted for."""

    def __init__(self, names: Sequence[str], made: Imported) -> None:
        super().__init__([f"Values are wanted for the secrets {', '.join(names)}."])
        self.names = list(names)
        self.made = made


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
    try:
        with transaction.atomic():
            made = _import_all(
                document, project, secrets or {}, existing, problems, actor
            )
            if dry_run:
                transaction.set_rollback(True)
    except IntegrityError:
        told = "Something of the same name was saved at this moment. Try again."
        raise DocumentRefused([told]) from None
    return made


def _import_all(
    document: Any,
    project: Project,
    secrets: Mapping[str, str],
    existing: Existing,
    problems: Problems,
    actor: Any,
) -> Imported:
    made = Imported()
    given = {normalise(name): value for name, value in secrets.items()}
    missing = _make_secrets(document, project, given, made, problems, actor)
    for path, row in read_rows(document, "types", "", problems):
        _import_type(project, row, path, existing, made, problems, actor)
    for path, row in read_rows(document, "user_macros", "", problems):
        macro = Macro(project=project)
        _import_macro(macro, row, path, existing, made, problems, actor)
    problems.refuse()
    if missing:
        raise SecretsMissing(missing, made)
    told = f"{made.in_words()}."
    audit.record(Action.IMPORTED, project, actor=actor, detail=told)
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
    given: Mapping[str, str],
    made: Imported,
    problems: Problems,
    actor: Any,
) -> list[str]:
    """Returns those without a value, for which something stands in meanwhile."""
    known = set(Secret.objects.keys_in(project.community_id, project.pk))
    hosts = {
        normalise(each["name"]): each.get("hosts", [])
        for each in listed(document, "secrets")
    }
    wanted = [name for name in secret_names(document) if name not in known]
    for name in wanted:
        value = given.get(name) or _STAND_IN
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
        audit.record(Action.CREATED, secret, actor=actor, detail=_BY_IMPORT)
    return [name for name in wanted if not given.get(name)]


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
        told = f"The project has a type '{name}' already. {_CHOOSE}"
        problems.add(f"{path}.name", told)
        return
    if kind is None:
        kind = make_type(project, row, path, problems)
        if kind is None:
            return
        made.types.append(kind)
        made.told.append(f"Feedback type {kind.name} is new.")
        audit.record(Action.CREATED, kind, actor=actor, detail=_BY_IMPORT)
    else:
        told = f"Feedback type {kind.name} is there already and stays as it is."
        made.told.append(told)
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
            told = f"There is a macro '{name}' already. {_CHOOSE}"
            problems.add(f"{path}.name", told)
            return
        if existing == Existing.SKIP:
            made.skipped.append(str(name))
            made.told.append(f"Macro {name} is there already and stays as it is.")
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
        action = Action.CREATED if is_new else Action.CHANGED
        audit.record(action, macro, actor=actor, detail=_BY_IMPORT)
    (made.macros if is_new else made.replaced).append(macro)
    made.told.append(_told_of(macro, is_new, row))


def _told_of(macro: Macro, is_new: bool, row: Any) -> str:
    """With where it sends to, and what of the project's it gives away there."""
    told = f"Macro {macro.name} {'is new' if is_new else 'is replaced'}"
    told += "." if macro.is_active else ", and off."
    urls = [step["url"].strip() for step in row["steps"] if step.get("url")]
    if urls:
        places = (_KEPT if url.startswith("((") else origin_in(url) for url in urls)
        told += f" It sends to {', '.join(dict.fromkeys(places))}."
    names = secret_names({"macros": [row]})
    return told + (f" Secrets it uses: {', '.join(names)}." if names else "")


def _free_name(name: str, rivals: models.QuerySet[Macro]) -> str:
    taken = set(rivals.values_list("name", flat=True))
    names = (f"{_NEW if n == 1 else f'Copy {n} of '}{name}" for n in range(1, 1000))
    return next(each[:100] for each in names if each[:100] not in taken)
