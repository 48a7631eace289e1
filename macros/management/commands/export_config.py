from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from feedback.models import Project
from feedback.names import fold
from logs import audit
from logs.models import Action

from ... import config


def find_project(named: str) -> Project:
    """The project of a number, a name, or COMMUNITY/NAME. Raises CommandError."""
    rows = Project.objects.select_related("community")
    community, _, name = named.rpartition("/")
    if named.isascii() and named.isdecimal():
        rows = rows.filter(pk=int(named[:18]))
    elif community:
        rows = rows.filter(name__iexact=name, community__name__iexact=community)
    else:
        rows = rows.filter(name__iexact=named)
    projects = list(rows[:2])
    if len(projects) == 1:
        return projects[0]
    if projects:
        problem = f"Several projects are called '{named}': write COMMUNITY/PROJECT."
        raise CommandError(problem)
    raise CommandError(f"There is no project '{named}'.")


class Command(BaseCommand):
    help = "Write a project's feedback types and macros, without values of secrets."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", required=True, help="Its number or name.")
        parser.add_argument("--type", action="append", help="Only this feedback type.")
        parser.add_argument("--macro", action="append", help="Only this macro.")
        parser.add_argument("--format", choices=["yaml", "json"], default="yaml")
        parser.add_argument("-o", "--output", type=Path, help="A file, not the screen.")

    def handle(self, *args: Any, **options: Any) -> None:
        project = find_project(options["project"])
        types = _named(project.feedback_types, options["type"], "feedback type")
        macros = _named(project.macros, options["macro"], "macro")
        try:
            document = config.export_project(project, types=types, macros=macros)
        except config.ConfigRefused as refusal:
            raise CommandError(f"Nothing was exported.\n{refusal}") from None
        text = config.write(document, options["format"])
        output: Path | None = options["output"]
        if output is None:
            self.stdout.write(text, ending="")
        else:
            try:
                output.write_text(text, "utf-8")
            except OSError as error:
                problem = f"--output: can't write {output}: {error.strerror}."
                raise CommandError(problem) from None
            self.stdout.write(f"Written to {output}.")
        audit.record(Action.EXPORTED, project, detail="Types and macros.")


def _named(rows: Any, names: list[str] | None, what: str) -> Any:
    if names is None:
        return None
    wanted = {fold(name): name for name in names}
    known = {pk: fold(name) for pk, name in rows.values_list("pk", "name")}
    missing = [name for folded, name in wanted.items() if folded not in known.values()]
    if missing:
        raise CommandError(f"The project has no {what} '{min(missing)}'.")
    return rows.filter(pk__in=[pk for pk, name in known.items() if name in wanted])
