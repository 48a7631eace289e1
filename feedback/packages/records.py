"""Tickets and testers as rows of packages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import DateTimeField, F, IntegerField, Model, TextField, Value
from django.db.models.expressions import Case, Func, When
from django.db.models.functions import Cast, Concat
from django.db.models.sql.compiler import SQLCompiler

from ..links import link_to
from ..models import Feedback, PackageRows, SubjectKind, Tester
from ..selection.catalogue import Catalogue
from ..selection.saved import Owner, all_of, catalogue_for
from .columns import Column, ColumnCatalogue, from_catalogue, plain
from .kinds import RowsKind, register
from .values import ColumnType

TICKET, TESTER, PROJECT, COMPUTED = "Ticket", "Tester", "Project", "Computed"
_SUBMITTER = "Submitter"
# Every row of a package is of a person who was not erased.
_ALWAYS_FALSE = "erased"


class WholeDays(Func):
    """From the second moment to the first."""

    output_field = IntegerField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> Any:
        template = "(django_timestamp_diff(%(expressions)s) / 86400000000)"
        return self.as_sql(compiler, connection, template=template)

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> Any:
        template = "TRUNC(EXTRACT(EPOCH FROM (%(expressions)s)) / 86400)::bigint"
        return self.as_sql(compiler, connection, template=template, arg_joiner=" - ")


def _page(model: type[Model]) -> Concat:
    """The address of a row's page in the admin."""
    start, end = link_to(model, "*").split("*")
    number = Cast("pk", TextField())
    return Concat(Value(start), number, Value(end), output_field=TextField())


def _ticket_columns(
    owner: Owner, now: datetime, catalogue: Catalogue | None
) -> ColumnCatalogue:
    catalogue = catalogue or catalogue_for(owner, SubjectKind.FEEDBACK)
    own = {each.name: each for each in from_catalogue(catalogue, TICKET)}
    own |= {each.name: each for each in _beside_tickets(now)}
    return ColumnCatalogue(own, catalogue)


def _beside_tickets(now: datetime) -> Iterator[Column]:
    """What no condition asks for."""
    path = "feedback_type__project"
    whole, text = ColumnType.INTEGER, ColumnType.TEXT
    yield plain("status_id", "Status ID", TICKET, whole, "status_id")
    yield plain("type_id", "Feedback type ID", TICKET, whole, "feedback_type_id")
    yield plain("project_id", "Project ID", PROJECT, whole, f"{path}_id")
    yield plain("community", "Community", PROJECT, text, f"{path}__community__name")
    yield plain("submitter_id", "Submitter: ID", _SUBMITTER, whole, "submitter_id")
    age = WholeDays(Value(now, output_field=DateTimeField()), F("created_at"))
    is_open = When(status__is_open=True, then=age)
    days_open = Case(is_open, output_field=IntegerField())
    yield plain("days_open", "Days open", COMPUTED, whole, days_open)
    yield plain("age_days", "Age in days", COMPUTED, whole, age)
    page = _page(Feedback)
    yield plain("url", "Page in CenterHook", COMPUTED, text, page)


def _tester_columns(
    owner: Owner, now: datetime, catalogue: Catalogue | None
) -> ColumnCatalogue:
    catalogue = catalogue or catalogue_for(owner, SubjectKind.TESTER)
    own = {each.name: each for each in from_catalogue(catalogue, TESTER)}
    del own[_ALWAYS_FALSE]
    page = _page(Tester)
    url = plain("url", "Page in CenterHook", COMPUTED, ColumnType.TEXT, page)
    return ColumnCatalogue(own | {url.name: url}, catalogue)


register(PackageRows.TICKETS, RowsKind(all_of, _ticket_columns, "modified_at"))
register(PackageRows.TESTERS, RowsKind(all_of, _tester_columns))
