"""Saved filters: read, made, changed, and tried out before anything is saved."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from ..access.actors import may
from ..access.keys import Actor
from ..changes.signals import saved
from ..models import Community, Filter, SubjectKind
from ..rest.details import Fault
from ..rest.owned import PERMISSION
from ..rest.permissions import lacks
from ..rest.problems import Problem, in_body, invalid
from ..rest.viewsets import WritableViewSet
from ..selection.conditions import ChoiceFilter, NumberFilter, TextFilter
from ..selection.filtersets import StrictFilterSet
from ..selection.saved import catalogue_for, compiled, parsed, rows_of
from .filter_serializers import (
    MAX_COUNTED,
    FilterDetailSerializer,
    FilterPreviewSerializer,
    FilterSerializer,
    UnsavedFilterSerializer,
)
from .owners import why_missed

ADD, CHANGE = "feedback.add_filter", "feedback.change_filter"
VIEW = "feedback.view_filter"
_STEPS = re.compile(r"[^.\[\]]+")


class FilterFilterSet(StrictFilterSet):
    type = NumberFilter(lookup="feedback_type", help_text="Number of a feedback type.")
    project = NumberFilter(lookup="project", help_text="Number of a project.")
    subject_kind = ChoiceFilter(
        lookup="subject_kind",
        meanings={each: each for each in SubjectKind.values},
        help_text="What it selects.",
    )
    name = TextFilter(lookup="name__iexact", help_text="The whole name.")


@extend_schema_view(
    list=extend_schema(summary="List filters"),
    retrieve=extend_schema(summary="Read a filter"),
    destroy=extend_schema(
        summary="Delete a filter", description="Answers 409 while anything uses it."
    ),
)
class FilterViewSet(WritableViewSet):
    queryset = Filter.objects.select_related(
        "feedback_type__project__community", "project__community", "community"
    ).prefetch_related("triggers__macro", "schedules__macro", "packages")
    filterset_class = FilterFilterSet
    refuses = {"preview": [409]}

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        is_short = self.action == "list"
        return FilterSerializer if is_short else FilterDetailSerializer

    @extend_schema(summary="Save a filter", responses={201: FilterDetailSerializer})
    def create(self, request: Request) -> Response:
        row = self._saved(self._written(request, None), None)
        url = reverse("api:filter-detail", args=[row.pk], request=request)
        return Response(self.shown(row), 201, headers={"Location": url})

    @extend_schema(summary="Change a filter: its name, description or conditions")
    def partial_update(self, request: Request, pk: str) -> Response:
        before = self.get_object()
        row = self._written(request, Filter.objects.get(pk=before.pk))
        return Response(self.shown(self._saved(row, before)))

    def why_kept(self, row: Filter) -> str:
        return why_missed(row) or super().why_kept(row)

    @extend_schema(
        summary="Count what a filter selects now", responses=FilterPreviewSerializer
    )
    @action(detail=True, methods=["get"])
    def preview(self, request: Request, pk: str) -> Response:
        row = self.get_object()
        if problems := compiled(row).problems:
            detail = " ".join(each.sentence for each in problems)
            raise Problem(409, "filter_broken", f"The filter {row} is broken: {detail}")
        return Response(self._preview(row))

    @extend_schema(
        summary="Count what conditions would select",
        description="Takes what `POST /filters/` takes, without a name; saves nothing.",
        request=UnsavedFilterSerializer,
        responses=FilterPreviewSerializer,
    )
    @action(detail=False, methods=["post"], url_path="preview", url_name="try")
    def try_out(self, request: Request) -> Response:
        return Response(self._preview(self._written(request, None, permission=VIEW)))

    @extend_schema(
        summary="List the fields that conditions may be about",
        description="Takes the owner, and `subject_kind`, as `POST /filters/` does.",
        request=UnsavedFilterSerializer,
        responses=OpenApiTypes.OBJECT,
    )
    @action(detail=False, methods=["post"])
    def fields(self, request: Request) -> Response:
        row = self._written(request, None, permission=VIEW)
        catalogue = catalogue_for(row.owner, row.subject_kind, request.user)
        every = [_field(each) for each in catalogue.fields.values()]
        return Response({"fields": every})

    def _preview(self, row: Filter) -> dict[str, Any]:
        rows = rows_of(row)
        own: Any = rows.model._default_manager
        rows = rows.filter(pk__in=own.visible_to(self.request.user).values("pk"))
        count = rows.order_by()[: MAX_COUNTED + 1].count()
        newest = rows.order_by("-pk").values_list("pk", flat=True)[:10]
        return {
            "count": count,
            "is_more": count > MAX_COUNTED,
            "words": compiled(row).words,
            "first": list(newest),
        }

    def _written(
        self,
        request: Request,
        row: Filter | None,
        *,
        permission: str = ADD,
    ) -> Filter:
        """The row as the request would have it, its conditions checked."""
        context = {"request": request, PERMISSION: permission}
        asked = FilterSerializer(row, data=request.data, partial=True, context=context)
        asked.is_valid(raise_exception=True)
        made = row or Filter(subject_kind="")
        for name, value in asked.validated_data.items():
            setattr(made, name, value)
        if row is None:
            asked.own(made)
            _settle_kind(made)
        if row is None or "conditions" in asked.validated_data:
            _check_conditions(made, request.user)
        return made

    @transaction.atomic
    def _saved(self, row: Filter, before: Filter | None) -> Filter:
        try:
            row.full_clean()
        except ValidationError as error:
            raise invalid(_faults(error)) from None
        row.save()
        needed = CHANGE if before else ADD
        if not may(self.request.user, needed, row):
            raise lacks(self.request.user, needed)
        saved.send(Filter, before=before, after=row, parts=[], note="")
        return self.queryset.get(pk=row.pk)


def _settle_kind(row: Filter) -> None:
    """What a new filter selects, where its owner leaves that open or does not."""
    is_community = isinstance(row.owner, Community)
    row.subject_kind = row.subject_kind or (
        SubjectKind.TESTER if is_community else SubjectKind.FEEDBACK
    )
    if is_community and row.subject_kind == SubjectKind.FEEDBACK:
        problem = "A filter of a whole community selects testers."
        raise invalid([in_body(["subject_kind"], problem)])
    if row.feedback_type is not None and row.subject_kind == SubjectKind.TESTER:
        problem = "A filter of a feedback type selects its tickets."
        raise invalid([in_body(["subject_kind"], problem)])


def _check_conditions(row: Filter, actor: Actor) -> None:
    if not isinstance(row.conditions, dict):
        problem = 'Give an object: {"match": "all", "conditions": [...]}.'
        raise invalid([in_body(["conditions"], problem)])
    kept, problems = parsed(row.conditions, row.owner, row.subject_kind, actor)
    if problems:
        raise invalid(_in_conditions(each.path, each.sentence) for each in problems)
    row.conditions = kept


def _in_conditions(path: str, sentence: str) -> Fault:
    """`conditions[2].value` is the member #/conditions/conditions/2/value."""
    return in_body(["conditions", *_STEPS.findall(path)], sentence)


def _faults(error: ValidationError) -> Iterable[Fault]:
    for name, sentences in error.message_dict.items():
        path = [] if name == NON_FIELD_ERRORS else [name]
        member = ["type"] if path == ["feedback_type"] else path
        yield from (in_body(member, each) for each in sentences)


def _field(field: Any) -> dict[str, Any]:
    return {
        "name": field.name,
        "label": field.label,
        "kind": field.kind.name,
        "qualifiers": [
            {"name": str(each), "label": str(each.label), "takes": each.shape.value}
            for each in field.qualifiers
        ],
        "values": [{"value": value, "label": label} for value, label in field.offered],
    }
