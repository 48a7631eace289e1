"""What packages have rows for; those of other apps are put here by them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from ..models import DataPackage
from ..selection.catalogue import Catalogue
from ..selection.saved import Owner
from .columns import ColumnCatalogue


@dataclass(frozen=True)
class RowsKind:
    """`changed` is the column with the moment of a row's last change, if it has one.

    `columns` takes the owner, the moment at which they are read, and the catalogue of
    the owner's fields where several packages share what they ask.
    """

    rows: Callable[[DataPackage], QuerySet[Any]]
    columns: Callable[[Owner, datetime, Catalogue | None], ColumnCatalogue]
    changed: str = ""


KINDS: dict[str, RowsKind] = {}


def register(what: str, kind: RowsKind) -> None:
    KINDS[what] = kind
