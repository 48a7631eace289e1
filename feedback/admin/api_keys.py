"""API keys: shown once, rotated, and switched off after a look at who needs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.validators import RegexValidator
from django.db import transaction
from django.db.models import Field, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from logs import audit
from logs.models import Action

from ..console.overlaps import OverlapForm
from ..models import ApiKey, KeyScope, KeyState
from .dependents import LOOKED_BACK, dependents_of
from .unlocking import UnlockingPages


class ApiKeyForm(forms.ModelForm):
    word = forms.CharField(
        label="Word in the token",
        max_length=12,
        required=False,
        validators=[
            RegexValidator(r"\A[a-z0-9]+\Z", "Only a to z and 0 to 9, please.")
        ],
        help_text="Short, to tell tokens apart: with <code>jira</code> it begins with"
        " <code>ch_jira_</code>. It can't be changed later.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["word"]

    def clean_expires_at(self) -> Any:
        expires_at = self.cleaned_data["expires_at"]
        is_new = "expires_at" in self.changed_data
        if is_new and expires_at and expires_at <= timezone.now():
            raise forms.ValidationError(
                "This is in the past. Switch the key off instead."
            )
        return expires_at


class StateFilter(admin.SimpleListFilter):
    """Keys by state: valid, off or expired."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in KeyState.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        valid = ApiKey.objects.valid().values("pk")
        rows = {
            KeyState.VALID.value: queryset.filter(pk__in=valid),
            KeyState.OFF.value: queryset.filter(is_enabled=False),
            KeyState.EXPIRED.value: queryset.filter(is_enabled=True).exclude(
                pk__in=valid
            ),
        }
        return rows.get(self.value() or "", queryset)


_SEEN: list[str] = [
    "shown_prefix",
    "shown_state",
    "token_issued_at",
    "previous_token_until",
    "use_count",
    "last_used_at",
    "last_used_address",
    "created_at",
]
_SCOPES = tuple(f"scope_{scope}" for scope in KeyScope.values)


@admin.register(ApiKey)
class ApiKeyAdmin(UnlockingPages):
    form = ApiKeyForm
    change_form_template = "admin/feedback/apikey/change_form.html"
    list_display = [
        "name",
        "shown_state",
        "last_used_at",
        "use_count",
        "expires_at",
        "community",
        "project",
        "shown_prefix",
    ]
    list_select_related = ["community", "project"]
    list_filter = [StateFilter]
    search_fields = ["name", "prefix", "description"]
    picks_beside = {"project": "community__api_keys"}

    def get_fieldsets(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        about: list[object] = ["community", "project", "name", "description"]
        limits = ["allowed_ips", "expires_at", "notify_emails"]
        fieldsets = [
            (None, {"fields": about if obj else [*about, "word"]}),
            ("What it may do", {"fields": _SCOPES}),
            ("Limits and notices", {"fields": limits}),
        ]
        return [*fieldsets, ("Use", {"fields": _SEEN})] if obj else fieldsets

    def get_readonly_fields(
        self, request: HttpRequest, obj: ApiKey | None = None
    ) -> list[str]:
        return ["community", *_SEEN] if obj else []

    def formfield_for_dbfield(
        self, db_field: Field, request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name in ("description", "allowed_ips"):
            kwargs["widget"] = forms.Textarea(
                attrs={"rows": 3, "class": "vLargeTextField"}
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description="token begins with", ordering="prefix")
    def shown_prefix(self, key: ApiKey) -> str:
        return f"{key.prefix}..."

    @admin.display(description="state")
    def shown_state(self, key: ApiKey) -> str:
        state = key.state
        return format_html('<span class="state state-{}">{}</span>', state, state.label)

    def save_model(
        self, request: HttpRequest, obj: Any, form: ModelForm, change: bool
    ) -> None:
        if change:
            # Not what a use or a rotation may change meanwhile.
            obj.save(update_fields=form.changed_data)
            return
        obj.fresh_token = obj.issue_token(form.cleaned_data["word"])
        super().save_model(request, obj, form, change)
        audit.record(Action.REVEALED, obj, detail="Its token was shown, once.")

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self.token_page(request, obj, obj.fresh_token)

    def token_page(
        self, request: HttpRequest, key: ApiKey, token: str, **more: object
    ) -> HttpResponse:
        """The response itself shows the token, so that it is stored nowhere."""
        context = {"title": f"The token of {key.name}", "token": token, **more}
        return self._page(request, key, "token", context)

    def _page(
        self,
        request: HttpRequest,
        key: ApiKey,
        name: str,
        context: Mapping[str, object],
    ) -> HttpResponse:
        shown = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "key": key,
            **context,
        }
        template = f"admin/feedback/apikey/{name}.html"
        return TemplateResponse(request, template, shown)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<row:pk>/rotate/", wrap(self.rotate), name="feedback_apikey_rotate"),
            path("<row:pk>/off/", wrap(self.switch_off), name="feedback_apikey_off"),
            path("<row:pk>/on/", wrap(self.switch_on), name="feedback_apikey_on"),
            *super().get_urls(),
        ]

    def _to(self, key: ApiKey) -> HttpResponse:
        page = reverse("admin:feedback_apikey_change", args=[key.pk])
        return HttpResponseRedirect(page)

    def rotate(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A new token; the present one works on for as long as the person says."""
        key = self.row_to(request, self.permission_to("change"), pk)
        issued = key.token_issued_at.isoformat()
        form = OverlapForm("token", issued, request.POST or None)
        if request.method == "POST" and form.is_valid():
            with transaction.atomic():
                key = ApiKey.objects.select_for_update().get(pk=pk)
                if not form.is_of(key.token_issued_at.isoformat()):
                    messages.warning(request, "The token was replaced already.")
                    return self._to(key)
                token = key.rotate(form.overlap)
                key.save(update_fields=ApiKey.TOKEN_FIELDS)
                detail = f"A new token was shown, once. Overlap: {form.in_words}."
                audit.record(Action.REVEALED, key, detail=detail)
            return self.token_page(request, key, token)
        context = {
            "title": f"New token for {key.name}",
            "form": form,
            "dependents": dependents_of(key),
            "looked_back": LOOKED_BACK.days,
        }
        return self._page(request, key, "rotate", context)

    def switch_off(self, request: HttpRequest, pk: int) -> HttpResponse:
        key = self.row_to(request, self.permission_to("change"), pk)
        if request.method != "POST":
            context = {
                "title": f"Switch off {key.name}?",
                "dependents": dependents_of(key),
                "looked_back": LOOKED_BACK.days,
            }
            return self._page(request, key, "switch_off", context)
        return self._switch(request, key, is_enabled=False)

    def switch_on(self, request: HttpRequest, pk: int) -> HttpResponse:
        key = self.row_to(request, self.permission_to("change"), pk)
        if request.method != "POST":
            return self._to(key)
        return self._switch(request, key, is_enabled=True)

    def _switch(
        self, request: HttpRequest, key: ApiKey, *, is_enabled: bool
    ) -> HttpResponse:
        key.is_enabled = is_enabled
        with transaction.atomic():
            key.save(update_fields=["is_enabled"])
            action = Action.SWITCHED_ON if is_enabled else Action.SWITCHED_OFF
            audit.record(action, key)
        state = "on" if is_enabled else "off"
        messages.success(request, f"{key}: switched {state}.")
        return self._to(key)

    def notes_on_deletion(self, rows: Sequence[ApiKey]) -> list[Any]:
        """What fails without them."""
        keys, notes = list(rows), list[Any]()
        for key in keys:
            notes += [f"API key {key}:", dependents_of(key, keys).in_words()]
        return notes
