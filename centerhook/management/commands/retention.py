from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from feedback import mode
from feedback.models import Community
from logs.retention import Limits, Tally, problems, rehearse, whole_pass
from macros import right_time
from macros.retention import TIERS


class Command(BaseCommand):
    help = (
        "Delete at once all that is kept no longer, which the clock does in small steps"
        " all day long. Others may work meanwhile, more slowly."
    )
    # It says itself what is wrong with the settings that it goes by.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Only count what would go, and how large it is, by community.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for sentence, advice in problems():
            raise CommandError(f"{sentence} {advice}")
        if options["dry_run"]:
            self._rehearse()
        elif not mode.is_sending():
            raise CommandError(
                "The installation is paused or read-only, and nothing goes by age"
                " meanwhile. Let it go on first: manage.py mode normal"
            )
        elif sentence := right_time.doubt(timezone.now()):
            raise CommandError(sentence)
        else:
            self._delete()

    def _delete(self) -> None:
        looked_at, removed = defaultdict[str, int](int), defaultdict[str, int](int)
        for tier, step in whole_pass(TIERS, timezone.now()):
            looked_at[tier.name] += step.looked_at
            removed[tier.name] += step.removed
            progress = (
                f"{tier.noun}: {removed[tier.name]:,} deleted of"
                f" {looked_at[tier.name]:,}"
            )
            # On a terminal each line takes the place of the one before.
            is_seen = self.stdout.isatty()
            if step.is_last or is_seen:
                ending = "\n" if step.is_last else "\r"
                self.stdout.write(progress, ending=ending)
            if not mode.is_sending():
                raise CommandError(
                    "The installation is paused or read-only by now, so this stopped"
                    " where it was. Run it again when that is over."
                )

    def _rehearse(self) -> None:
        limits, names = Limits.at(timezone.now()), _names()
        total = Tally()
        for tier in TIERS:
            tallies: dict[int | None, Tally] = {}
            for tallies in rehearse(tier, limits):  # noqa: B007
                pass
            self.stdout.write(f"{tier.noun}: {_words(_sum(tallies.values()))}")
            for pk, tally in sorted(tallies.items(), key=lambda each: -each[1].bytes):
                name = names.get(pk, "no community")
                self.stdout.write(f"  {name}: {_words(tally)}")
            total = _sum([total, *tallies.values()])
        self.stdout.write(f"In all: {_words(total)}. Nothing was deleted.")


def _names() -> dict[int | None, str]:
    return dict(Community.objects.values_list("pk", "name"))


def _sum(tallies: Any) -> Tally:
    every = list(tallies)
    return Tally(sum(each.rows for each in every), sum(each.bytes for each in every))


def _words(tally: Tally) -> str:
    size = filesizeformat(tally.bytes).replace("\xa0", " ")
    return f"{tally.rows:,}, about {size}" if tally.rows else "none"
