from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from centerhook.sign_in import second_factor


class Command(BaseCommand):
    help = "Remove a person's second factor, for example when the phone is lost."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: object, **options: Any) -> None:
        person = User.objects.filter(username=options["username"]).first()
        if person is None:
            raise CommandError(f"There is no person named {options['username']}.")
        if not second_factor.remove(person):
            raise CommandError(f"{person} has no second factor.")
        self.stdout.write(f"{person} signs in without a second factor now.")
