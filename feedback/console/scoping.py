"""What every admin page of ours has in common: it shows the user's own rows only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar, cast

from django.contrib.admin import ShowFacets
from django.contrib.admin.views.main import SEARCH_VAR
from django.contrib.auth import get_permission_codename
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.db.models.fields.related import RelatedField
from django.forms import BaseInlineFormSet, ModelForm
from django.http import Http404, HttpRequest, HttpResponse

from ..access.actors import granted_to, is_above_roles, may
from ..names import first_twin
from ..texts import NUMBER
from .auditing import AuditedAdmin
from .deleting import refusing_deletion
from .parameters import CheckedAdmin, CheckedPickers

M = TypeVar("M", bound=Model)
_READING = frozenset(["GET", "HEAD"])


def edited_pk(request: HttpRequest) -> int:
    """The key of the row whose page is open; 0 where it is a new one's."""
    match = request.resolver_match
    pk = match.kwargs.get("object_id", "") if match else ""
    return int(pk) if NUMBER.fullmatch(pk) else 0


def may_here(request: HttpRequest, permission: str, row: Model) -> bool:
    """Whether the user has the permission where this row is.

    A page asks for each of its fields and inlines. Reading changes nothing, so a page
    that is read looks once whether the row is within the same communities and projects.
    """
    user = request.user
    is_read = request.method in _READING and row.pk is not None
    if not is_read or is_above_roles(user):
        return may(user, permission, row)
    granted = granted_to(user, permission)
    grants = frozenset((each.community, each.project) for each in granted)
    known = request.__dict__.setdefault("grants_known", {})
    key = grants, type(row), row.pk
    if key not in known:
        known[key] = may(user, permission, row)
    return bool(known[key])


class ScopedMixin(CheckedPickers):
    """Lists, detail pages, pickers and autocompletes through `visible_to(user)`.

    Asked about a row (in an inline: about the row above it), a permission must hold
    there.
    """

    # Fields whose choices stay beside the row that is edited, each with the lookup that
    # leads from a choice to that row. A new row may choose among all that are in scope.
    picks_beside: Mapping[str, str] = {}

    def permission_to(self, action: str) -> str:
        codename = get_permission_codename(action, self.opts)
        return f"{self.opts.app_label}.{codename}"

    def _has(self, request: HttpRequest, action: str, obj: Model | None) -> bool:
        permission = self.permission_to(action)
        if obj is None or obj.pk is None:
            return request.user.has_perm(permission)
        return may_here(request, permission, obj)

    def has_view_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return any(self._has(request, action, obj) for action in ("view", "change"))

    def has_change_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return self._has(request, "change", obj)

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return self._has(request, "delete", obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows: Any = super().get_queryset(request)
        return cast(QuerySet, rows.visible_to(request.user))

    def get_field_queryset(
        self,
        db: str | None,
        db_field: RelatedField,
        request: HttpRequest,
    ) -> QuerySet | None:
        rows: Any = super().get_field_queryset(db, db_field, request)
        manager = db_field.remote_field.model._default_manager
        if hasattr(manager, "visible_to"):
            rows = manager.all() if rows is None else rows
            # Only where the row that is edited may be, so that nobody who manages one
            # project and watches another moves a row over.
            rows = rows.visible_to(request.user, self.permission_to("change"))
        lookup, pk = self.picks_beside.get(db_field.name), edited_pk(request)
        if rows is not None and lookup and pk:
            rows = rows.filter(**{lookup: pk})
        return cast(QuerySet | None, rows)


def with_owners(form: type[Any]) -> Any:
    """The form, which compares its row with others also by what it does not show.

    Django leaves out each constraint with a column that the form has no field for, so
    that a row that is renamed would meet its rival in the database.
    """
    hidden = form._get_validation_exclusions

    def exclusions(self: Any) -> set[str]:
        row: Model = self.instance
        owners = {
            each.name
            for each in row._meta.fields
            if each.many_to_one and getattr(row, each.attname)
        }
        kept: set[str] = hidden(self) - (owners - {*self.fields})
        return kept

    form._get_validation_exclusions = exclusions
    return form


class DistinctNames(BaseInlineFormSet):
    """Refuses two of one name, which the database has not seen yet."""

    def clean(self) -> None:
        super().clean()
        gone = self.deleted_forms
        left = [each for each in self.forms if each not in gone]
        data = [getattr(each, "cleaned_data", {}) for each in left]
        for column in ("name", "label"):
            names = filter(None, (each.get(column) for each in data))
            if twin := first_twin(names):
                raise ValidationError(f"Two of them have the same {column}: {twin}")


class ScopedInline(ScopedMixin):
    """An inline: whoever may add to the row above may add here."""

    def has_add_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return self._has(request, "add", obj)

    def get_formset(
        self, request: HttpRequest, obj: Model | None = None, **kwargs: Any
    ) -> type[BaseInlineFormSet]:
        formset: Any = super().get_formset(request, obj, **kwargs)  # type: ignore[misc]
        formset.form = refusing_deletion(formset.form)
        return cast(type[BaseInlineFormSet], formset)


class ScopedAdmin(ScopedMixin, AuditedAdmin, CheckedAdmin, Generic[M]):
    """The admin of a model; what extends it says of which: `ScopedAdmin[Project]`."""

    # Where a row belongs. It is chosen when the row is made: moved, it would leave what
    # belongs to it behind in another tenant, or take it there.
    owner_fields: tuple[str, ...] = ()
    # The parameter by which the list is searched.
    search_parameter = SEARCH_VAR

    def matching(self, request: HttpRequest, rows: QuerySet, text: str) -> QuerySet:
        """The rows that a search of the list finds."""
        return self.get_search_results(request, rows, text)[0]

    def page_of(self, request: HttpRequest, obj: M) -> Mapping[str, object]:
        """What the template of one row's page shows beside its form."""
        return {}

    def get_form(
        self,
        request: HttpRequest,
        obj: M | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> type[ModelForm]:
        form = super().get_form(request, obj, change, **kwargs)
        return cast(type[ModelForm], with_owners(form))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        context = self.page_of(request, self.get_object(request, object_id))
        return super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )

    def get_readonly_fields(
        self, request: HttpRequest, obj: M | None = None
    ) -> list[str]:
        fixed = self.owner_fields if obj else ()
        return [*super().get_readonly_fields(request, obj), *fixed]

    def save_model(
        self, request: HttpRequest, obj: M, form: ModelForm, change: bool
    ) -> None:
        """What is put where the user may not is undone with the transaction."""
        super().save_model(request, obj, form, change)
        if not self._has(request, "change" if change else "add", obj):
            raise PermissionDenied

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> M:
        """Raises Http404, so that nobody learns whether a hidden row exists.

        A page that is read is of one row, which its form and what stands beside it
        share; a form that is sent changes a row of its own.
        """
        known = request.__dict__.setdefault("rows_known", {})
        key = type(self), object_id, from_field
        if request.method in _READING and key in known:
            return cast(M, known[key])
        row = cast(M | None, super().get_object(request, object_id, from_field))
        if row is None:
            raise Http404(f"No {self.opts.verbose_name} of this number.")
        known[key] = row
        return row

    def may_delete_all(self, request: HttpRequest, rows: Sequence[Model]) -> bool:
        own: Any = self.model._default_manager.filter(pk__in=[row.pk for row in rows])
        allowed = own.visible_to(request.user, self.permission_to("delete"))
        return bool(allowed.count() == len(rows))

    def row_to(self, request: HttpRequest, permission: str, pk: int) -> M:
        """A row that the user may act on. Raises Http404, PermissionDenied."""
        row: M | None = self.get_queryset(request).filter(pk=pk).first()
        if row is None:
            raise Http404(f"No {self.opts.verbose_name} of this number.")
        if not may(request.user, permission, row):
            raise PermissionDenied
        return row


class ReadOnlyAdmin(ScopedAdmin[M]):
    """History: looked at, never added to or changed by hand."""

    actions = None
    # Each number in a filter would be another look at the whole log.
    show_facets = ShowFacets.NEVER
    list_title = ""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        context = {"title": self.list_title, **(extra_context or {})}
        return super().changelist_view(request, context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return False
