"""External sources: their form, and all that the caller's program needs to know."""

from __future__ import annotations

import json
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Field, OuterRef, QuerySet, Subquery
from django.db.models.fields.related import RelatedField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from logs import audit
from logs.models import Action
from macros.authoring.curl import writing

from ..access.unlocking import lock_of
from ..console.scoping import ScopedAdmin, edited_pk
from ..models import ExternalSource, FeedbackType, SourceTicket
from ..models.sources import new_source_key
from ..sources.describing import described, example, json_schema
from ..sources.members import KEY_PARAMETER, Members
from ..texts import NUMBER, storable

LATEST = 10
_TYPE = "feedback_type"


@admin.register(ExternalSource)
class ExternalSourceAdmin(ScopedAdmin[ExternalSource]):
    owner_fields = (_TYPE,)
    linked_parameters = (_TYPE,)
    change_form_template = "admin/feedback/externalsource/change_form.html"
    list_display = ["name", _TYPE, "is_active", "last_ticket"]
    list_select_related = ["feedback_type__project"]
    list_filter = ["is_active"]
    search_fields = ["name", "description", "feedback_type__name"]
    autocomplete_fields = ["default_submitter"]
    fieldsets = [
        (None, {"fields": [_TYPE, "name", "description", "is_active"]}),
        ("Status", {"fields": ["default_status"]}),
        ("Submitter", {"fields": ["default_submitter", "makes_testers"]}),
    ]

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.new_key)
        name = "feedback_externalsource_key"
        return [path("<row:pk>/key/", page, name=name), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        newest = SourceTicket.objects.filter(source=OuterRef("pk")).order_by("-pk")
        last = Subquery(newest.values("created_at")[:1])
        return cast(QuerySet, rows.annotate(last=last))

    def get_field_queryset(
        self, db: str | None, db_field: RelatedField, request: HttpRequest
    ) -> QuerySet | None:
        rows = super().get_field_queryset(db, db_field, request)
        if db_field.name != "default_status" or rows is None:
            return rows
        if pk := edited_pk(request):
            return rows.filter(feedback_type__sources=pk)
        chosen = self._chosen(request)
        return rows.filter(feedback_type=chosen) if chosen else rows.none()

    def formfield_for_dbfield(
        self, db_field: Field, request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "description":
            attrs = {"rows": 3, "class": "vLargeTextField"}
            kwargs["widget"] = forms.Textarea(attrs=attrs)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        """First the type is chosen, since its statuses depend on it."""
        chosen = self._chosen(request)
        if self.has_add_permission(request) and chosen is None:
            context = {
                **self.admin_site.each_context(request),
                "title": "Tickets of which type?",
                "opts": self.opts,
                "types": self._types(request),
            }
            template = "admin/feedback/externalsource/choose_type.html"
            return TemplateResponse(request, template, context)
        community = chosen and chosen.project.community
        lock = {"lock": community and lock_of(community, request.user)}
        return super().add_view(request, form_url, {**lock, **(extra_context or {})})

    def page_of(self, request: HttpRequest, obj: ExternalSource) -> dict[str, object]:
        community = obj.feedback_type.project.community
        members = Members(obj)
        url = f"{settings.BASE_URL}{reverse('source', args=[obj.key])}"
        schema = json.dumps(json_schema(members), indent=2, ensure_ascii=False)
        form = render_to_string(
            "admin/feedback/externalsource/caller_form.html",
            {"url": url, "parameter": KEY_PARAMETER, "members": described(members)},
        )
        return {
            "lock": lock_of(community, request.user),
            "url": url,
            "curl": _curl(url, members),
            "schema": schema,
            "form": form,
            "latest": obj.tickets.select_related("feedback")[:LATEST],
        }

    def new_key(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Another URL; the present one stops at once."""
        source = self.row_to(request, self.permission_to("change"), pk)
        if request.method != "POST":
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": f"New key for {source}",
                "source": source,
                "last": source.last,  # type: ignore[attr-defined]
            }
            template = "admin/feedback/externalsource/new_key.html"
            return TemplateResponse(request, template, context)
        # A page that was sent off twice makes one.
        shown = storable(request.POST.get("key", ""))
        same = ExternalSource.objects.filter(pk=pk, key=shown)
        with transaction.atomic():
            if same.update(key=new_source_key()):
                detail = "It has a new key. The URL before has stopped."
                audit.record(Action.CHANGED, source, detail=detail)
                messages.success(request, detail)
            else:
                messages.warning(request, "The key was replaced already.")
        page = reverse("admin:feedback_externalsource_change", args=[pk])
        return HttpResponseRedirect(page)

    @admin.display(description="last ticket", ordering="last")
    def last_ticket(self, source: ExternalSource) -> object:
        return source.last  # type: ignore[attr-defined]

    def _types(self, request: HttpRequest) -> QuerySet[FeedbackType]:
        rows = FeedbackType.objects.visible_to(request.user, self.permission_to("add"))
        return rows.select_related("project")

    def _chosen(self, request: HttpRequest) -> FeedbackType | None:
        given = request.GET.get(_TYPE, "")
        if not NUMBER.fullmatch(given):
            return None
        return self._types(request).filter(pk=int(given)).first()


def _curl(url: str, members: Members) -> str:
    headers = [
        ("Authorization", "Bearer YOUR-API-KEY"),
        ("Content-Type", "application/json"),
        ("Idempotency-Key", "a-key-of-your-own-for-each-ticket"),
    ]
    body = json.dumps(example(members), indent=2, ensure_ascii=False)
    return writing.write("POST", url, headers, body)
