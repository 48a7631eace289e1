from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ... import config
from ...config import ConfigRefused, Existing, SecretsMissing
from .export_config import find_project


class Command(BaseCommand):
    help = "Make the feedback types and macros of an exported file in a project."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--project", required=True, help="Its number or name.")
        parser.add_argument(
            "--secrets",
            type=Path,
            help="A JSON or YAML file with a value for each secret, by its name.",
        )
        parser.add_argument(
            "--existing",
            choices=Existing.values,
            default=Existing.REFUSE.value,
            help="What to do with a macro whose name is taken.",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Say what would be made."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        project = find_project(options["project"])
        try:
            made = config.import_document(
                _read(options["file"]),
                project,
                secrets=_secrets(options["secrets"]),
                existing=Existing(options["existing"]),
                dry_run=options["dry_run"],
            )
        except SecretsMissing as refusal:
            advice = "Give them in a file with --secrets."
            raise CommandError(f"{refusal} {advice}") from None
        except ConfigRefused as refusal:
            raise CommandError(f"Nothing was imported.\n{refusal}") from None
        word = "Would be imported" if options["dry_run"] else "Imported"
        self.stdout.write(f"{word} into {project}: {made.in_words()}.")


def _read(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            data = file.read(config.MAX_BYTES + 1)
        return config.read(data.decode())
    except OSError as error:
        raise CommandError(f"{path} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise CommandError(f"{path} is not text in UTF-8.") from None


def _secrets(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    try:
        values = _read(path)
    except ConfigRefused:
        # What stands in it is not repeated.
        values = None
    fits = isinstance(values, dict) and all(
        isinstance(each, str) for each in values.values()
    )
    if not fits:
        raise CommandError(f"{path} must hold names of secrets with their values.")
    return dict(values or {})
