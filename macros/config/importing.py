"""From a document to a project's types and macros."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from feedback.access.keys import Actor
from feedback.formats import CONFIG_FILE
from feedback.models import FeedbackType, Project
from logs import audit
from logs.models import Action
from logs.redaction import origin_in

from ..models import Macro, Secret, kind_named
from ..tags import normalise
from .applying import fill_macro, make_type
from .automations import AutomationImport
from .filters import FilterImport
from .imported import CHOOSE, NOTE, Existing, Import, Imported, free_name
from .listener_files import ListenerImport
from .members import MAX_ROWS, MAX_ROWS_IN_ALL, read_rows, rows_in
from .named_secrets import listed, secret_names
from .outbound_files import OutboundImport
from .problems import ConfigRefused, Problems
from .references import MacroNames
from .secrets import save_secret
from .source_files import add_source

_PARTS = (
    *("centerhook", "project", "types", "filters", "user_macros"),
    *("listeners", "packages", "lookups", "secrets"),
)
# Fit for whatever a secret may be used for, also to sign with.
_STAND_IN = f"whsec_{b64encode(bytes(32)).decode()}"
_KEPT = "a URL that is a tag"


class SecretsMissing(ConfigRefused):
    """`names` are those whose values are wanted; `made` is what they are wanted for."""

    def __init__(self, names: Sequence[str], made: Imported) -> None:
        super().__init__([f"Values are wanted for the secrets {', '.join(names)}."])
        self.names = list(names)
        self.made = made


def import_document(
    document: object,
    project: Project,
    *,
    actor: Actor | None = None,
    secrets: Mapping[str, str] | None = None,
    existing: Existing = Existing.REFUSE,
    dry_run: bool = False,
) -> Imported:
    """Make what the document says in a project, or nothing of it.

    `secrets` are values by name. A type that is there already stays as it is, and gets
    the macros. Raises ConfigRefused with every problem in it, and
    SecretsMissing where all else is well.
    """
    problems = Problems()
    _check_envelope(document, problems)
    problems.refuse()
    importer = _Importer(project, _source(document), existing, actor, problems)
    try:
        with transaction.atomic():
            importer.all_of(document, secrets or {})
            if dry_run:
                transaction.set_rollback(True)
    except IntegrityError:
        problem = "Something of the same name was saved at this moment. Try again."
        raise ConfigRefused([problem]) from None
    return importer.made


def _check_envelope(document: object, problems: Problems) -> None:
    if not isinstance(document, dict):
        problems.add("", "This is not a CenterHook file: it has no members.")
        return
    about = document.get("centerhook")
    number = about.get("format") if isinstance(about, dict) else None
    if type(number) is not int or number < 1:
        problem = (
            f"This must be the number of the file's format, such as {CONFIG_FILE}."
        )
        problems.add("centerhook.format", problem)
    elif number > CONFIG_FILE:
        problem = f"The file is of format {number}, and this CenterHook reads up to"
        problems.add(
            "centerhook.format", f"{problem} {CONFIG_FILE}. Update CenterHook."
        )
        problems.refuse()
    if (rows := rows_in(document)) > MAX_ROWS_IN_ALL:
        # Each takes the database some 10 ms, while a person waits.
        problem = (
            f"There are {rows:,} rows in its lists, and at most {MAX_ROWS_IN_ALL:,}"
        )
        problems.add("", f"{problem} are read. Export and import it in parts.")
        problems.refuse()
    for name in document:
        if name not in _PARTS:
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


def _source(document: object) -> str:
    about = document.get("project") if isinstance(document, dict) else None
    name = about.get("name") if isinstance(about, dict) else None
    return name if isinstance(name, str) else ""


class _Importer(Import):
    """Types, then filters, which speak of statuses, then macros with what runs them.

    Last come listeners, which name them all, external sources, and what gives rows out.
    """

    def all_of(self, document: object, secrets: Mapping[str, str]) -> None:
        """Raises ConfigRefused, SecretsMissing."""
        missing = self._secrets(document, secrets)
        self.filters = FilterImport(self)
        self.automations = AutomationImport(self, self.filters)
        self.macros = MacroNames(self.project)
        types: list[tuple[FeedbackType, object, str]] = []
        macros: list[tuple[Macro, object, str]] = []
        for path, row in read_rows(document, "types", "", self.problems):
            if (kind := self._type(row, path)) is None:
                continue
            types.append((kind, row, path))
            for where, each in read_rows(row, "filters", path, self.problems):
                self.filters.add(kind, each, where)
            for where, each in read_rows(row, "macros", path, self.problems):
                macros.append((Macro(feedback_type=kind), each, where))
        for path, row in read_rows(document, "filters", "", self.problems):
            self.filters.add(self.project, row, path)
        for path, row in read_rows(document, "user_macros", "", self.problems):
            macros.append((Macro(project=self.project), row, path))
        for macro, row, path in macros:
            self._macro(macro, row, path)
        self._ways_in(document, types)
        self._outbound(document, types)
        self.problems.refuse()
        if missing:
            raise SecretsMissing(missing, self.made)
        detail = f"{self.made.in_words()}."
        audit.record(Action.IMPORTED, self.project, actor=self.actor, detail=detail)

    def _ways_in(
        self, document: object, types: Sequence[tuple[FeedbackType, object, str]]
    ) -> None:
        importing = ListenerImport(self, self.filters, self.macros)
        for kind, row, path in types:
            for where, each in read_rows(row, "listeners", path, self.problems):
                importing.add(kind, each, where)
            for where, each in read_rows(row, "sources", path, self.problems):
                add_source(self, kind, each, where)
        for where, each in read_rows(document, "listeners", "", self.problems):
            importing.add(self.project, each, where)

    def _outbound(
        self, document: object, types: Sequence[tuple[FeedbackType, object, str]]
    ) -> None:
        importing = OutboundImport(self, self.filters)
        owners: list[tuple[FeedbackType | Project, object, str]] = [*types]
        owners.append((self.project, document, ""))
        for owner, row, path in owners:
            for where, each in read_rows(row, "packages", path, self.problems):
                importing.add_package(owner, each, where)
            for where, each in read_rows(row, "lookups", path, self.problems):
                importing.add_lookup(owner, each, where)

    def _secrets(self, document: object, values: Mapping[str, str]) -> list[str]:
        """Returns those without a value, for which something stands in meanwhile."""
        project = self.project
        given = {normalise(name): value for name, value in values.items()}
        known = set(Secret.objects.keys_in(project.community_id, project.pk))
        hosts = {
            normalise(each["name"]): each.get("hosts", [])
            for each in listed(document, "secrets")
        }
        wanted = [name for name in secret_names(document) if name not in known]
        if len(wanted) > MAX_ROWS:
            problem = f"The steps use {len(wanted):,} secrets that are not there yet,"
            self.problems.add("secrets", f"{problem} and at most {MAX_ROWS} are made.")
            self.problems.refuse()
        for name in wanted:
            self._secret(name, given.get(name) or _STAND_IN, hosts.get(name, []))
        return [name for name in wanted if not given.get(name)]

    def _secret(self, name: str, value: str, hosts: list[str]) -> None:
        secret = Secret(
            community=self.project.community,
            project=self.project,
            name=name,
            hosts="\n".join(hosts),
        )
        try:
            save_secret(secret, value, self.actor, note=NOTE)
        except ValidationError as error:
            self.problems.add_invalid(f"secrets.{name}", error)
        else:
            self.made.secrets.append(name)

    def _type(self, row: object, path: str) -> FeedbackType | None:
        """The type that is made, or is there; None if it is refused."""
        name = row.get("name") if isinstance(row, dict) else None
        named = FeedbackType.objects.filter(project=self.project, name__iexact=name)
        kind = named.first() if isinstance(name, str) else None
        if kind is not None and self.existing == Existing.REFUSE:
            problem = f"The project has a type '{name}' already. {CHOOSE}"
            self.problems.add(f"{path}.name", problem)
            return None
        if kind is None:
            kind = make_type(self.project, row, path, self.problems)
            if kind is None:
                return None
            self.made.types.append(kind)
            self.made.sentences.append(f"Feedback type {kind.name} is new.")
            audit.record_change(None, kind, actor=self.actor, detail=NOTE)
        else:
            sentence = f"Feedback type {kind.name} exists already and stays as it is."
            self.made.sentences.append(sentence)
        return kind

    def _macro(self, macro: Macro, row: Any, path: str) -> None:
        macro.find_owners()
        name = row.get("name") if isinstance(row, dict) else None
        rivals = Macro.objects.filter(
            project=macro.project, feedback_type=macro.feedback_type
        )
        same = rivals.filter(name__iexact=name)
        rival = same.first() if isinstance(name, str) else None
        if rival is not None and self.existing == Existing.REFUSE:
            problem = f"There is a macro '{name}' already. {CHOOSE}"
            self.problems.add(f"{path}.name", problem)
            return
        if rival is not None and self.existing == Existing.SKIP:
            self.made.skipped.append(str(name))
            sentence = f"Macro {name} exists already and stays as it is."
            self.made.sentences.append(sentence)
            return
        if rival is not None and self.existing == Existing.REPLACE:
            macro = rival
        elif rival is not None:
            row = {
                **row,
                "name": free_name(str(name), rivals.values_list("name", flat=True)),
            }
        if self._fill(macro, row, path):
            self.macros.note(str(name), macro)

    def _fill(self, macro: Macro, row: object, path: str) -> bool:
        is_new = macro.pk is None
        # Apart, so that what is half made is gone where the rest is read on.
        with transaction.atomic():
            made = fill_macro(
                macro, row, path, self.problems, actor=self.actor, note=NOTE
            )
            if made is None:
                transaction.set_rollback(True)
                return False
        (self.made.macros if is_new else self.made.replaced).append(macro)
        self.made.sentences.append(_sentence_on(macro, is_new, row))
        self.automations.all_of(macro, row, path)
        return True


def _sentence_on(macro: Macro, is_new: bool, row: Any) -> str:
    """What becomes of a macro, where it sends to, and with which secrets."""
    sentence = f"Macro {macro.name} {'is new' if is_new else 'is replaced'}"
    sentence += "." if macro.is_active else ", and off."
    kinds = ((kind_named(step["kind"]), step) for step in listed(row, "steps"))
    urls = [url for kind, step in kinds if kind and (url := kind.url_in(step))]
    if urls:
        origins = (_KEPT if url.startswith("((") else origin_in(url) for url in urls)
        sentence += f" It sends to {', '.join(dict.fromkeys(origins))}."
    names = secret_names({"macros": [row]})
    return sentence + (f" Secrets it uses: {', '.join(names)}." if names else "")
