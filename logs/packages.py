"""Deliveries as rows of data packages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from feedback.models import DataPackage, FeedbackType, PackageRows, Project
from feedback.packages.columns import Column, ColumnCatalogue, plain
from feedback.packages.kinds import RowsKind, register
from feedback.packages.values import ColumnType
from feedback.selection.catalogue import Catalogue
from feedback.selection.saved import Owner

from .models import Delivery

DELIVERY, RUN = "Delivery", "Run"
_TEXT, _WHOLE, _MOMENT = ColumnType.TEXT, ColumnType.INTEGER, ColumnType.MOMENT
_COLUMNS: tuple[tuple[str, str, str, ColumnType, str], ...] = (
    ("id", "Delivery ID", DELIVERY, _WHOLE, "pk"),
    ("state", "State", DELIVERY, _TEXT, "state"),
    ("subject", "Ticket or tester", DELIVERY, _TEXT, "subject_label"),
    ("ticket_id", "Ticket ID", DELIVERY, _WHOLE, "feedback_id"),
    ("tester_id", "Tester ID", DELIVERY, _WHOLE, "tester_id"),
    ("step", "Step", DELIVERY, _WHOLE, "step"),
    ("attempts", "Attempts", DELIVERY, _WHOLE, "attempts"),
    ("response", "Response", DELIVERY, _WHOLE, "last_status"),
    ("error", "Error", DELIVERY, _TEXT, "last_error"),
    ("destination", "Destination", DELIVERY, _TEXT, "destination__origin"),
    ("finished", "Finished", DELIVERY, _MOMENT, "finished_at"),
    ("run_id", "Run ID", RUN, _WHOLE, "run_id"),
    ("macro", "Macro", RUN, _TEXT, "run__macro_name"),
    ("macro_version", "Version of the macro", RUN, _WHOLE, "run__macro_version"),
    ("cause", "Cause", RUN, _TEXT, "run__cause"),
    ("started", "Run started", RUN, _MOMENT, "run__created_at"),
    ("started_by", "Started by", RUN, _TEXT, "run__actor_name"),
)


def _rows(package: DataPackage) -> QuerySet[Any]:
    """Those of macros that are the owner's."""
    owner = package.owner
    if isinstance(owner, FeedbackType):
        return Delivery.objects.filter(run__macro__feedback_type=owner.pk)
    if isinstance(owner, Project):
        return Delivery.objects.filter(run__project=owner.pk)
    return Delivery.objects.filter(run__community=owner.pk)


def _columns(
    owner: Owner, now: datetime, catalogue: Catalogue | None
) -> ColumnCatalogue:
    return ColumnCatalogue({each.name: each for each in _every()})


def _every() -> Iterator[Column]:
    for each in _COLUMNS:
        yield plain(*each)


register(PackageRows.DELIVERIES, RowsKind(_rows, _columns, "finished_at"))
