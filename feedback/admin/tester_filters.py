"""The filters that only the list of testers has."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ..models import Community, Feedback, Project
from ..selection.conditions import NUMBER
from .filters import Choices, TypedFilter

VIEW = "feedback.view_tester"
_MAX_VALUE = 2**31 - 1


class _RowFilter(admin.SimpleListFilter):
    """One of the rows that the user may choose from; any other finds nobody."""

    def rows(self, user: Any) -> QuerySet[Any]:
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(str(row.pk), str(row)) for row in self.rows(request.user)]

    def chosen(self) -> str | None:
        return next((key for key, _ in self.lookup_choices if key == self.value()), "")

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        pk = self.chosen()
        return self.narrow(queryset, int(pk)) if pk else queryset.none()

    def narrow(self, testers: QuerySet[Any], pk: int) -> QuerySet[Any]:
        raise NotImplementedError


class CommunityFilter(_RowFilter):
    title = "community"
    parameter_name = "community"

    def rows(self, user: Any) -> QuerySet[Any]:
        return Community.objects.visible_to(user, VIEW)

    def narrow(self, testers: QuerySet[Any], pk: int) -> QuerySet[Any]:
        return testers.filter(community=pk)


class ProjectFilter(_RowFilter):
    """Whose tickets are in a project: on them its user macros run."""

    title = "project they submitted in"
    parameter_name = "project"

    def rows(self, user: Any) -> QuerySet[Any]:
        return Project.objects.visible_to(user, VIEW)

    def narrow(self, testers: QuerySet[Any], pk: int) -> QuerySet[Any]:
        own = Feedback.objects.filter(feedback_type__project=pk)
        return testers.filter(pk__in=own.order_by().values("submitter"))


class CountryFilter(TypedFilter):
    title = "country"
    parameter_name = "country"
    asks_for = "Two letters: DE"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = (self.value() or "").strip().replace("\0", " ")
        return queryset.filter(country__iexact=value) if value else queryset


class ScoreFilter(TypedFilter):
    title = "score"
    parameter_name = "score"
    asks_for = "At least"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        text = (self.value() or "").strip()
        if not text:
            return queryset
        if not NUMBER.fullmatch(text) or int(text) > _MAX_VALUE:
            return queryset.none()
        return queryset.filter(score__gte=int(text))


class ErasedFilter(admin.SimpleListFilter):
    title = "erased"
    parameter_name = "erased"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("no", "No"), ("yes", "Yes")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(erased_at__isnull=self.value() == "no")
