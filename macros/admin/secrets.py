from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import ForeignKey
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join

from feedback.access.actors import may_in_a_community
from feedback.console.auditing import DomainSavedAdmin
from feedback.console.scoping import ScopedAdmin

from ..config import check_value, save_secret
from ..models import Secret
from ..models.secrets import MAX_VALUE, MIN_VALUE
from ..models.usage import users_of

_PAIR = ("value", "hosts")


class WriteOnly(forms.Textarea):
    """Never shows what it was given, not even with an error beside it.

    Nor does the browser keep it, as typed.js does with other fields.
    """

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        return super().get_context(name, value, {**(attrs or {}), "data-secret": ""})

    def format_value(self, value: Any) -> None:
        return None


class SecretForm(forms.ModelForm):
    value = forms.CharField(
        widget=WriteOnly(
            attrs={
                "rows": 2,
                "class": "vLargeTextField",
                "autocomplete": "off",
                "spellcheck": "false",
            }
        ),
        min_length=MIN_VALUE,
        max_length=MAX_VALUE,
        help_text="Nobody can read it back.",
    )

    class Meta:
        model = Secret
        fields = ["community", "project", "name", "hosts", "description"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["value"].required = False
            self.fields[
                "value"
            ].help_text = "Nobody can read it back. Leave it empty to keep it."

    def clean(self) -> dict[str, object] | None:
        cleaned = super().clean()
        before = None
        if self.instance.pk:
            before = Secret(hosts=self.initial.get("hosts") or "")
        if "value" in self.cleaned_data:
            value, hosts = (self.cleaned_data.get(key) or "" for key in _PAIR)
            try:
                check_value(value, hosts, before)
            except ValidationError as error:
                self.add_error(None, error)
        return cleaned


@admin.register(Secret)
class SecretAdmin(DomainSavedAdmin, ScopedAdmin[Secret]):
    """Values go in and never come out."""

    form = SecretForm
    list_display = ["name", "community", "project", "hosts", "modified_at"]
    list_select_related = ["community", "project"]
    search_fields = ["name", "description"]
    _fields = ["community", "project", "name", "value", "hosts", "description"]

    def get_fields(self, request: HttpRequest, obj: Secret | None = None) -> Any:
        return ["used_by", *self._fields, *self._dates] if obj else self._fields

    _dates = ["created_at", "modified_at"]

    def get_readonly_fields(
        self, request: HttpRequest, obj: Secret | None = None
    ) -> list[str]:
        """Under another name or owner the macros that use it would not find it."""
        fixed = ["used_by", "community", "project", "name", *self._dates]
        return fixed if obj else []

    def formfield_for_foreignkey(
        self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any
    ) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "project" and field is not None:
            field.required = not may_in_a_community(
                request.user, self.permission_to("add")
            )
        return field

    def save_model(
        self, request: HttpRequest, obj: Secret, form: forms.ModelForm, change: bool
    ) -> None:
        save_secret(obj, form.cleaned_data.get("value") or "", request.user)

    @admin.display(description="used by")
    def used_by(self, secret: Secret) -> str:
        users = (
            (reverse(f"admin:{user._meta.db_table}_change", args=[user.pk]), name)
            for user, name in users_of(secret)
        )
        listed = format_html_join(", ", '<a href="{}">{}</a>', users)
        return listed or "Nothing uses it yet."

    def notes_on_deletion(self, rows: Sequence[Secret]) -> list[Any]:
        """What will fail without them."""
        notes: list[Any] = []
        for secret in rows:
            users = [f"{name} uses it and will fail." for _, name in users_of(secret)]
            if users:
                notes += [f"Secret {secret}:", users]
        return notes
