"""Data packages: what they have rows for, their columns, and how tools read them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from ..access.unlocking import lock_of
from ..console.about import AboutAdmin
from ..console.owners import Selected, choice_of
from ..console.parts import Meaning, badge
from ..models import DataPackage, PackageRows, SubjectKind
from ..packages import snapshots
from ..packages.tables import broken
from .package_form import PackageForm
from .package_page import described

MAKE = "feedback_datapackage_make"
# The attribute of a row in the list.
_IS_BROKEN = "is_broken"
_ROWS: dict[str, PackageRows] = {
    SubjectKind.FEEDBACK: PackageRows.TICKETS,
    SubjectKind.TESTER: PackageRows.TESTERS,
}


@admin.register(DataPackage)
class DataPackageAdmin(AboutAdmin[DataPackage]):
    form = PackageForm
    change_form_template = "admin/feedback/datapackage/change_form.html"
    list_display = ["name", "what", "of", "state", "refresh_every", "is_active"]
    list_select_related = [
        *("feedback_type__project__community", "project__community", "community"),
        *("filter__feedback_type__project__community", "filter__community"),
        "filter__project__community",
    ]
    list_filter = ["is_active"]
    linked_parameters = ("feedback_type", "project", "community")
    search_fields = ["name", "key", "description"]
    list_per_page = 25
    prepopulated_fields = {"key": ["name"]}
    fieldsets = [
        (None, {"fields": ["name", "key", "description", "is_active"]}),
        ("Rows", {"fields": ["filter"]}),
        ("Columns", {"fields": ["columns"]}),
        ("File", {"fields": ["refresh_every", "format", "guards_formulas"]}),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Deliveries have no filters."""
        package = obj or self._draft(request)
        return [
            each
            for each in super().get_fieldsets(request, obj)
            if each[0] != "Rows" or package is None or package.what != "deliveries"
        ]

    def get_form(
        self,
        request: HttpRequest,
        obj: DataPackage | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> type[ModelForm]:
        form = super().get_form(request, obj, change, **kwargs)
        about = None if obj else self.about(request)
        return _form_about(form, about) if about else form

    def also_selectable(
        self, request: HttpRequest, rows: list[Selected]
    ) -> list[Selected]:
        owners = dict.fromkeys(each.owner for each in rows)
        return [Selected(each, PackageRows.DELIVERIES) for each in owners]

    def _draft(self, request: HttpRequest) -> DataPackage | None:
        about = self.about(request)
        return None if about is None else _begun(about, DataPackage())

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        """First it is chosen what the rows are, since the columns depend on it."""
        draft = self._draft(request)
        if self.has_add_permission(request) and draft is None:
            context = {
                **self.admin_site.each_context(request),
                "title": "Add data package",
                "opts": self.opts,
                **choice_of(self.selectable(request), None, request.user),
            }
            template = "admin/feedback/datapackage/choose.html"
            return TemplateResponse(request, template, context)
        extra = {"lock": draft and lock_of(draft.community, request.user)}
        return super().add_view(request, form_url, {**extra, **(extra_context or {})})

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Which of the page have lost a part is asked for all of them together."""
        changelist = super().get_changelist_instance(request)
        changelist.result_list = [*changelist.result_list]
        lost = broken(changelist.result_list)
        for package in changelist.result_list:
            setattr(package, _IS_BROKEN, package.pk in lost)
        return changelist

    def page_of(self, request: HttpRequest, obj: DataPackage) -> dict[str, object]:
        lock = lock_of(obj.community, request.user)
        return {"lock": lock, **described(obj)}

    def save_model(
        self, request: HttpRequest, obj: DataPackage, form: ModelForm, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        snapshots.keep_up(obj)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.make_now)
        return [path("<row:pk>/make/", view, name=MAKE), *super().get_urls()]

    def make_now(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Have a stored package made before its time."""
        acts = request.method == "POST"
        package = self.row_to(
            request, self.permission_to("change" if acts else "view"), pk
        )
        page = reverse("admin:feedback_datapackage_change", args=[pk])
        if acts:
            if package.is_live:
                raise Http404("Live data is made at each call.")
            if snapshots.begin(package):
                messages.success(request, "A worker makes it now. Look again soon.")
            else:
                messages.warning(request, "It is being made already.")
        return HttpResponseRedirect(page)

    @admin.display(description="of")
    def of(self, package: DataPackage) -> str:
        return str(package.owner)

    @admin.display(description="state")
    def state(self, package: DataPackage) -> SafeString:
        if not package.is_active:
            return badge("Off")
        if getattr(package, _IS_BROKEN):
            return badge("Lost a part", Meaning.BAD)
        return badge("OK", Meaning.GOOD)


def _begun(about: Selected, package: DataPackage) -> DataPackage:
    package.what = _ROWS.get(about.kind, PackageRows.DELIVERIES)
    about.give_owner(package)
    return package


def _form_about(form: type[ModelForm], about: Selected) -> type[ModelForm]:
    """The form for a new package of this."""

    def begin(self: Any, *args: Any, **kwargs: Any) -> None:
        given = kwargs.get("instance")
        made = DataPackage() if given is None else given
        kwargs["instance"] = _begun(about, made) if made.pk is None else made
        form.__init__(self, *args, **kwargs)

    return type("NewPackageForm", (form,), {"__init__": begin})
