"""What the viewsets of all rooms have in common: the caller's own rows only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import UTC
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404, QueryDict
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework import mixins, serializers, viewsets
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from ..access.actors import ScopedQuerySet
from ..changes import deletion
from ..changes.rivals import once_more
from ..selection.filtersets import StrictFilterSet
from .details import RATE_HEADERS
from .filtering import refuse_parameters
from .idempotency import idempotent
from .permissions import lacks
from .preconditions import IF_MATCH, check_match, check_written, etag_of, is_known
from .preferences import accepted
from .problems import Problem
from .shaping import PARAMETER, chosen_fields, names_of, only

NEEDS_MATCH = (
    "All that belongs to it is deleted as well. Read it first, and send its ETag as"
    " If-Match, so that it is the one you mean."
)
Handler = Callable[..., HttpResponseBase]

# Actions whose response is the row as its URL shows it then.
WRITES = ("create", "partial_update")


class ScopedViewSet(viewsets.GenericViewSet):
    """Rows through `visible_to(actor)`; actions that need more name it.

    What an actor can't see is not found; what it sees and may not do is forbidden.
    Every POST takes an idempotency key. Whatever changes a row that `get_object`
    gives takes `If-Match`, and is one transaction.
    """

    queryset: ScopedQuerySet
    # What an action needs beside seeing the row.
    action_permissions: ClassVar[dict[str, str]] = {}
    # Actions that commit on their way, or send: they look after repeats themselves.
    own_repeats: ClassVar[Collection[str]] = ()
    # Columns that lists can be ordered by, by the members' names: each has an index
    # with the number behind it.
    ordering_columns: ClassVar[dict[str, str]] = {}
    # Actions whose work goes on after the response, which says so by 202 where the
    # caller prefers that, and otherwise as they like.
    prefers_async: ClassVar[Collection[str]] = ()
    # The statuses, by action, of refusals that do not follow from the method.
    refuses: ClassVar[dict[str, Collection[int]]] = {}
    # In ASCII digits, as many as every database can look up.
    lookup_value_regex = "[0-9]{1,18}"
    # Which members of its rows the caller asked for; None for all.
    chosen: list[str] | None = None

    @property
    def is_list(self) -> bool:
        return self.action == "list"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method not in SAFE_METHODS and self.action:
            check_written(request)
            # REST framework looks the handler up after this.
            name = str(request.method).lower()
            setattr(self, name, once_more(self._careful(request, getattr(self, name))))
        # Without an action the method is none of the address's.
        if self.action in ("list", "retrieve"):
            known = names_of(self.get_serializer())
            self.chosen = chosen_fields(request, known)
        if self.action and not self.is_list:
            beside = [PARAMETER] if self.action == "retrieve" else []
            refuse_parameters(request.query_params, beside)

    def _careful(self, request: Request, handler: Handler) -> Handler:
        if self.action in self.own_repeats:
            return handler
        if self.action in WRITES:
            handler = _tagged(handler)
        if request.method == "POST":
            handler = idempotent(request, handler)
        if request.method != "POST" or IF_MATCH in request.headers:
            handler = transaction.atomic(handler)
        return handler

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """In UTC: TIME_ZONE is for people."""
        with timezone.override(UTC):
            return super().dispatch(request, *args, **kwargs)

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Any:
        if isinstance(response, Response) and response.status_code in (200, 201):
            response = self._shaped(request, response)
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in getattr(request, RATE_HEADERS, {}).items():
            response[name] = value
        return response

    def _shaped(self, request: Request, response: Response) -> Response:
        if self.action == "retrieve":
            etag = etag_of(response.data)
            if is_known(request, etag):
                return Response(status=304, headers={"ETag": etag})
            response["ETag"] = etag
        if self.chosen is not None and self.is_list:
            rows = [only(row, self.chosen) for row in response.data["results"]]
            response.data = {**response.data, "results": rows}
        elif self.chosen is not None:
            response.data = only(response.data, self.chosen)
        return response

    def permission_needed(self) -> str:
        return self.action_permissions.get(self.action, self.view_permission())

    def view_permission(self) -> str:
        opts = self.queryset.model._meta
        return f"{opts.app_label}.view_{opts.model_name}"

    def get_queryset(self) -> QuerySet:
        rows: ScopedQuerySet = self.queryset.all()
        actor = self.request.user
        return rows.listed_for(actor) if self.is_list else rows.visible_to(actor)

    def get_object(self) -> Any:
        """The row in the address, which the action may be done on.

        What is written to is locked and read anew, so that nothing is put back that
        others wrote meanwhile. With `If-Match` it is as the caller read it.
        Raises Http404, PermissionDenied, Problem.
        """
        row = self._permitted(int(self.kwargs["pk"]))
        is_change = self.request.method not in SAFE_METHODS
        must_match = is_change and IF_MATCH in self.request.headers
        if must_match or self.request.method == "PATCH":
            own: Any = type(row)._base_manager
            own.select_for_update(no_key=True).filter(pk=row.pk).first()
            row = self._permitted(row.pk)
        if must_match:
            check_match(self.request, etag_of(self.representation(row)))
        return row

    def _permitted(self, pk: int) -> Any:
        needed = self.permission_needed()
        rows: ScopedQuerySet = self.queryset.all()
        row = rows.visible_to(self.request.user, needed).filter(pk=pk).first()
        if row is None and self.get_queryset().filter(pk=pk).exists():
            raise lacks(self.request.user, needed)
        if row is None:
            raise Http404(f"There is no {rows.model._meta.verbose_name} {pk}.")
        return row

    def representation(self, row: Model) -> Any:
        """The row as its URL shows it, read anew, whoever asks."""
        action, self.action = self.action, "retrieve"
        try:
            seen = self.get_queryset().filter(pk=row.pk).first()
            own: Any = type(row)._base_manager
            return self.get_serializer(seen or own.get(pk=row.pk)).data
        finally:
            self.action = action

    def shown(self, row: Model) -> dict[str, Any]:
        """The row for a response: who may write it need not be able to see it."""
        if self.get_queryset().filter(pk=row.pk).exists():
            data: dict[str, Any] = self.representation(row)
            return data
        return {"id": row.pk}


class ReadOnlyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """A list with conditions, and one row."""

    filterset_class: type[StrictFilterSet]

    def filterset(
        self, data: QueryDict, rows: QuerySet, beside: Iterable[str]
    ) -> StrictFilterSet:
        return self.filterset_class(data, rows, beside)


class Deleting(ScopedViewSet):
    """Rows that are deleted, with all that belongs to them."""

    # Whether as much belongs to them that the caller must say which it has read.
    must_match: ClassVar[bool] = False

    def permission_needed(self) -> str:
        if self.action == "destroy" and self.action not in self.action_permissions:
            opts = self.queryset.model._meta
            return f"{opts.app_label}.delete_{opts.model_name}"
        return super().permission_needed()

    def destroy(self, request: Request, pk: str) -> Response:
        row = self.get_object()
        if self.must_match and IF_MATCH not in request.headers:
            raise Problem(428, "precondition_required", NEEDS_MATCH)
        if problem := self.why_kept(row):
            raise Problem(409, "in_use", problem)
        if deletion.delete(row):
            return Response(status=204)
        # What is too much for one transaction goes in the background.
        url = request.build_absolute_uri(request.path)
        return accepted(request, Response(status=202), url)

    def why_kept(self, row: Any) -> str:
        """What keeps a row from being deleted, or an empty string."""
        return deletion.why_not(row)


class Changing(ScopedViewSet):
    """Rows that are changed, by `change`.

    Its serializer's `save()` is the one door of the model. What the door refuses
    becomes problem details: ValidationError by member, PermissionDenied as 403.
    """

    # The permission by which each of these actions is allowed.
    acts: ClassVar[dict[str, str]] = {"partial_update": "change"}

    def permission_needed(self) -> str:
        if self.action in self.acts and self.action not in self.action_permissions:
            opts = self.queryset.model._meta
            return f"{opts.app_label}.{self.acts[self.action]}_{opts.model_name}"
        return super().permission_needed()

    def partial_update(self, request: Request, pk: str) -> Response:
        row = self.get_object()
        self.save(self.get_serializer(row, data=request.data, partial=True))
        return Response(self.shown(row))

    def save(self, asked: serializers.BaseSerializer) -> Any:
        """The row that was written. Raises APIException."""
        asked.is_valid(raise_exception=True)
        try:
            return asked.save()
        except ValidationError as error:
            raise serializers.ValidationError(messages_of(error)) from error
        except PermissionDenied as refusal:
            raise lacks(self.request.user, self.permission_needed()) from refusal


class WritableViewSet(Changing, Deleting, ReadOnlyViewSet):
    """Rows that are also made and deleted, by `add` and `delete`."""

    acts = {**Changing.acts, "create": "add"}

    def create(self, request: Request) -> Response:
        row = self.save(self.get_serializer(data=request.data))
        url = reverse(f"api:{self.basename}-detail", args=[row.pk], request=request)
        return Response(self.shown(row), 201, headers={"Location": url})


def _tagged(handler: Handler) -> Handler:
    def tagged(*args: Any, **kwargs: Any) -> HttpResponseBase:
        response = handler(*args, **kwargs)
        if isinstance(response, Response) and response.data.keys() != {"id"}:
            response["ETag"] = etag_of(response.data)
        return response

    return tagged


def messages_of(error: ValidationError) -> dict[str, list[str]] | list[str]:
    """The sentences by member, as REST framework has them."""
    if not hasattr(error, "error_dict"):
        return error.messages
    by_name: dict[str, list[str]] = error.message_dict
    return {
        "non_field_errors" if name == "__all__" else name: sentences
        for name, sentences in by_name.items()
    }
