from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from macros.tags.reference import markdown


class Command(BaseCommand):
    help = "Print the reference of the tag language, as docs/tags.md holds it."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(markdown(), ending="")
