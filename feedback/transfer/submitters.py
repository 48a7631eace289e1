"""The testers that the rows of a file name by their e-mail addresses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from django.core.exceptions import ValidationError

from ..models import Community, Tester, TicketImport
from ..names import fold
from ..sources.people import testers_by_email, valid_email
from .columns import SUBMITTER, TypeColumns

# Addresses that are looked up at once.
_CHUNK = 500


class Submitters:
    """Those whom a part of a file names, and new ones where it may make them."""

    def __init__(self, community: Community, *, makes: bool) -> None:
        self._community = community
        self._makes = makes
        self._known: dict[str, Tester] = {}

    def look_up(self, cells: Iterable[str]) -> None:
        emails = filter(None, map(str.strip, cells))
        self._known = testers_by_email(self._community, emails)

    def read(self, cell: str) -> tuple[int | None, str]:
        """The key of a known tester, or the address of a new one.

        Raises ValidationError.
        """
        tester = self._known.get(fold(cell.strip()))
        if tester is None and self._makes:
            return None, valid_email(cell.strip())
        if tester is None:
            raise ValidationError(
                "The community has no tester with this e-mail address."
            )
        if tester.erased_at is not None:
            raise ValidationError("This tester was erased.")
        return int(tester.pk), ""

    def make(self, emails: Iterable[str]) -> dict[str, int]:
        """Their keys, by the folded addresses."""
        new: dict[str, Tester] = {}
        for email in emails:
            new.setdefault(fold(email), Tester(community=self._community, email=email))
        Tester.objects.bulk_create(new.values(), batch_size=_CHUNK)
        return {folded: int(tester.pk) for folded, tester in new.items()}


def count_newcomers(row: TicketImport) -> int:
    """How many testers the rows of a checked file would make: each address once."""
    columns = TypeColumns(row.feedback_type).read(row.header)
    if SUBMITTER not in columns.meanings:
        return 0
    named = iter({fold(cell): None for cell in _cells(row, columns.at(SUBMITTER))})
    community = row.feedback_type.project.community
    count = 0
    while chunk := list(islice(named, _CHUNK)):
        count += len({*chunk} - testers_by_email(community, chunk).keys())
    return count


def _cells(row: TicketImport, at: int) -> Iterator[str]:
    """The addresses in rows that are not at fault."""
    for part in row.parts.order_by("start").iterator(chunk_size=20):
        refused = {number for number, *_ in part.faults}
        for number, cells in part.rows:
            if number not in refused and at < len(cells) and cells[at].strip():
                yield cells[at].strip()
