from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from centerhook.management.testers import add_arguments, tester_of
from feedback.models import Tester
from logs.privacy import OUT_OF_REACH, ErasureUnfinished, erase_tester, footprint


class Command(BaseCommand):
    help = (
        "Erase a tester for good: the profile, their data in tickets and comments, and"
        " what the log kept of requests about their tickets. Call it again if it was"
        " cut off."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)
        parser.add_argument(
            "--remove-texts",
            action="store_true",
            help="Remove all that their tickets and comments say, not only the data.",
        )
        parser.add_argument(
            "--yes", action="store_true", help="Do not ask for a confirmation."
        )

    def handle(self, *args: object, **options: Any) -> None:
        email = options["email"]
        tester = tester_of(email, options["community"])
        self._say_what_will_happen(tester)
        if not options["yes"]:
            self._confirm(email)
        try:
            erase_tester(tester, None, remove_texts=options["remove_texts"])
        except ErasureUnfinished as why:
            raise CommandError(str(why)) from why
        self.stdout.write(f"Erased. The tester is named {tester.email} now.")

    def _say_what_will_happen(self, tester: Tester) -> None:
        counts = footprint(tester)
        self.stdout.write(
            f"Tickets: {counts.tickets:,}. Comments on them: {counts.comments:,}."
            f" Requests on the log: {counts.attempts:,}."
            f" Waiting to be sent, which are cancelled: {counts.pending:,}."
            f" Being sent now: {counts.sending:,}."
        )
        for copy in counts.copies:
            self.stdout.write(
                f"Copies at {copy.origin}: {copy.requests:,} requests,"
                f" {copy.first_at:%Y-%m-%d} to {copy.last_at:%Y-%m-%d}."
            )
        for sentence in OUT_OF_REACH:
            self.stdout.write(sentence)

    def _confirm(self, email: str) -> None:
        try:
            typed = input("This can't be undone. Type the e-mail to erase the tester: ")
        except EOFError:
            typed = ""
        if typed.strip() != email:
            raise CommandError("Nothing was erased: that was not the tester's e-mail.")
