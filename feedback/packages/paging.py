"""What a reader asks for: rows that changed since, and pages that lose no row.

A page is all rows up to a key, so that what comes in meanwhile moves none to another.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.core import signing
from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_datetime

from ..models import DataPackage
from ..selection.values import read_moment
from ..texts import NUMBER
from .kinds import KINDS
from .tables import Table

MAX_PAGE = 50_000
_SALT = "feedback.packages.paging"
_STALE = "The package was changed since this page was read. Begin with the first one."
_FORGED = "This is not a cursor of this package. Follow the address of the next page."


@dataclass(frozen=True)
class Asked:
    """`after` is the key of the last row that the reader has."""

    changed_since: datetime | None = None
    page_size: int | None = None
    after: int | None = None

    @property
    def is_whole(self) -> bool:
        return self == Asked()


@dataclass(frozen=True)
class Page:
    """`next` is the cursor of the page behind it; empty on the last one."""

    table: Table
    next: str = ""


def asked_for(
    package: DataPackage, changed_since: str, page_size: str, cursor: str
) -> tuple[Asked, dict[str, str]]:
    """And what is wrong with it, by the name of the parameter."""
    faults: dict[str, str] = {}
    size: int | None = None
    if page_size:
        is_number = NUMBER.fullmatch(page_size) is not None
        size = int(page_size) if is_number and len(page_size) < 9 else 0
        if not 0 < size <= MAX_PAGE:
            faults["page_size"] = f"Give a number from 1 to {MAX_PAGE:,}."
    since: datetime | None = None
    if changed_since:
        since, faults["changed_since"] = _since(package, changed_since)
    after: int | None = None
    if cursor:
        after, begun, faults["cursor"] = _read(package, cursor)
        if begun != since and not faults["cursor"]:
            faults["cursor"] = "It is of another changed_since."
        if size is None and "page_size" not in faults:
            faults["page_size"] = "Give it with the cursor."
    wrong = {name: problem for name, problem in faults.items() if problem}
    return Asked(since, size, after), wrong


def _since(package: DataPackage, text: str) -> tuple[datetime | None, str]:
    if not KINDS[package.what].changed:
        noun = package.get_what_display()
        return None, f"{noun} do not say when they changed. Read all of them."
    try:
        return read_moment(text, UTC).start.astimezone(UTC), ""
    except ValidationError as error:
        return None, " ".join(error.messages)


def page_of(table: Table, asked: Asked) -> Page:
    package = table.package
    if asked.changed_since is not None:
        column = KINDS[package.what].changed
        table = table.narrowed(**{f"{column}__gte": asked.changed_since})
    if asked.after is not None:
        table = table.narrowed(pk__gt=asked.after)
    if asked.page_size is None:
        return Page(table)
    # The last row of this page, and whether there is one behind it.
    last = asked.page_size - 1
    edge = list(table.rows.values_list("pk", flat=True)[last : last + 2])
    if not edge:
        return Page(table)
    page = table.narrowed(pk__lte=edge[0])
    return Page(page, _cursor(package, edge[0], asked) if len(edge) == 2 else "")


def _cursor(package: DataPackage, after: int, asked: Asked) -> str:
    since = asked.changed_since
    content = [package.pk, package.recipe[:16], after, since and since.isoformat()]
    return signing.dumps(content, salt=_SALT)


def _read(package: DataPackage, cursor: str) -> tuple[int, datetime | None, str]:
    try:
        pk, recipe, after, since = signing.loads(cursor, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return 0, None, _FORGED
    if pk != package.pk:
        return 0, None, _FORGED
    if recipe != package.recipe[:16]:
        return 0, None, _STALE
    return after, since and parse_datetime(since), ""
