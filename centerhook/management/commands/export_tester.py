from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from centerhook.management.testers import add_arguments, tester_of
from logs import audit
from logs.models import Action
from logs.privacy import export_tester


class Command(BaseCommand):
    help = "Write all that is stored of a tester as one JSON document."

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)
        parser.add_argument(
            "--output", metavar="FILE", help="Instead of the standard output."
        )

    def handle(self, *args: object, **options: Any) -> None:
        tester = tester_of(options["email"], options["community"])
        audit.record(Action.EXPORTED, tester)
        if not options["output"]:
            for piece in export_tester(tester):
                self.stdout.write(piece, ending="")
            return
        try:
            with open(options["output"], "w", encoding="utf-8") as file:
                file.writelines(export_tester(tester))
        except OSError as error:
            problem = f"--output: can't write {options['output']}: {error.strerror}."
            raise CommandError(problem) from error
        self.stdout.write(f"Written to {options['output']}.")
