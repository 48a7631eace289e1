"""What the viewsets of all rooms have in common: the caller's own rows only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404, QueryDict
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework import mixins, viewsets
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from ..access.actors import ScopedQuerySet
from ..changes.rivals import once_more
from ..selection.filtersets import StrictFilterSet
from .filtering import refuse_parameters
from .permissions import lacks


class ScopedViewSet(viewsets.GenericViewSet):
    """Rows through `visible_to(actor)`; actions that need more name it.

    What an actor can't see is not found; what it sees and may not do is forbidden.
    """

    queryset: ScopedQuerySet
    # What an action needs beside seeing the row.
    action_permissions: ClassVar[dict[str, str]] = {}
    # In ASCII digits, as many as every database can look up.
    lookup_value_regex = "[0-9]{1,18}"

    @property
    def is_list(self) -> bool:
        return self.action == "list"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method not in SAFE_METHODS and self.action:
            # REST framework looks the handler up after this.
            name = str(request.method).lower()
            setattr(self, name, once_more(getattr(self, name)))
        # Without an action the method is none of the address's.
        if self.action and not self.is_list:
            refuse_parameters(request.query_params)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """In UTC: TIME_ZONE is for people."""
        with timezone.override(UTC):
            return super().dispatch(request, *args, **kwargs)

    def permission_needed(self) -> str:
        return self.action_permissions.get(self.action, self.view_permission())

    def view_permission(self) -> str:
        opts = self.queryset.model._meta
        return f"{opts.app_label}.view_{opts.model_name}"

    def get_queryset(self) -> QuerySet:
        rows: ScopedQuerySet = self.queryset.all()
        return rows.visible_to(self.request.user)

    def get_object(self) -> Any:
        """The row in the address, which the action may be done on.

        Raises Http404, PermissionDenied.
        """
        pk, needed = int(self.kwargs["pk"]), self.permission_needed()
        rows: ScopedQuerySet = self.queryset.all()
        row = rows.visible_to(self.request.user, needed).filter(pk=pk).first()
        if row is None and self.get_queryset().filter(pk=pk).exists():
            raise lacks(self.request.user, needed)
        if row is None:
            raise Http404(f"There is no {rows.model._meta.verbose_name} {pk}.")
        return row


class ReadOnlyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """A list with conditions, and one row."""

    filterset_class: type[StrictFilterSet]

    def filterset(
        self, data: QueryDict, rows: QuerySet, beside: Iterable[str]
    ) -> StrictFilterSet:
        return self.filterset_class(data, rows, beside)
