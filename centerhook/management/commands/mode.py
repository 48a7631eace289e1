from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from centerhook import installation
from feedback import mode
from feedback.models import Mode

NAMES = {each.value.replace("_", "-"): each for each in Mode}


class Command(BaseCommand):
    help = (
        "Say whether CenterHook sends, or change it: paused sends nothing and starts"
        " nothing, read-only changes nothing either, normal sends what waits."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("mode", nargs="?", choices=NAMES, help="What to change to.")

        parser.add_argument(
            "--adopt",
            action="store_true",
            help="Say that this database is meant to be used with the keys and the"
            " address of now.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["adopt"]:
            installation.adopt("manage.py mode")
        if options["mode"]:
            installation.set_mode(NAMES[options["mode"]], "manage.py mode")
        state = mode.state()
        self.stdout.write(state.mode.label)
        if options["mode"] and state.mode != NAMES[options["mode"]]:
            raise CommandError(
                f"MODE={settings.MODE} in the settings wins. Take it away, and restart"
                " every process."
            )
