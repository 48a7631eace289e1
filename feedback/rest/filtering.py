"""The query's parameters through the view's FilterSet."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from .paging import PARAMETERS
from .problems import in_parameter, invalid


class FilterBackend(BaseFilterBackend):
    """`view.filterset(data, queryset, beside)` makes the FilterSet."""

    def filter_queryset(
        self, request: Request, queryset: QuerySet, view: Any
    ) -> QuerySet:
        if not view.is_list:
            return queryset
        filterset = view.filterset(request.query_params, queryset, PARAMETERS)
        if filterset.errors:
            raise invalid(
                in_parameter(name, problem)
                for name, problems in filterset.errors.items()
                for problem in problems
            )
        rows: QuerySet = filterset.qs
        return rows

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": str(condition.extra.get("help_text", "")),
                **condition.schema,
            }
            for name, condition in view.filterset_class.base_filters.items()
        ]


def refuse_parameters(data: QueryDict, beside: Collection[str] = ()) -> None:
    """For what takes none, so that a misplaced condition is not passed over."""
    refused = [name for name in data if name not in beside]
    if refused:
        problem = "This takes no parameters."
        if beside:
            problem = f"This takes no parameters but {', '.join(beside)}."
        raise invalid(in_parameter(name, problem) for name in refused)
