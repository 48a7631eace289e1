from __future__ import annotations

from django.core.management.base import BaseCommand

from macros.tags.reference import markdown


class Command(BaseCommand):
    help = "Print the reference of the tag language, as docs/tags.md holds it."

    def handle(self, *args: object, **options: object) -> None:
        self.stdout.write(markdown(), ending="")
