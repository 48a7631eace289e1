"""What a listener has several of, on its page: ways to show who calls, and actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest

from feedback.access.keys import Actor
from feedback.console.scoping import ScopedInline

from ..listeners.choices import api_keys_for, macros_for, secrets_for
from ..models import ActionKind, Listener, ListenerAction, ListenerCheck, Scheme
from .listener_form import shown_when

Rows = Callable[[int | None], QuerySet[Any]]
_SIGNED = ("secret",)
# The fields of each scheme and of each kind of action; the others are empty.
SCHEME_FIELDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(Scheme.values, _SIGNED),
    Scheme.API_KEY: ("api_key",),
    Scheme.STRIPE: ("secret", "header"),
    Scheme.HMAC: ("secret", "header", "algorithm", "encoding", "prefix"),
}
KIND_FIELDS: dict[str, tuple[str, ...]] = {
    ActionKind.RUN: ("macro",),
    ActionKind.COMMENT: ("value",),
    ActionKind.STATUS: ("value", "value_map"),
    ActionKind.FIELD: ("name", "value", "value_map"),
    ActionKind.VISIBILITY: ("value", "value_map"),
    ActionKind.SCORE: ("value", "value_map"),
    ActionKind.EXTERNAL: ("name", "value", "value_map"),
    ActionKind.CREATE: ("value",),
}


class PartForm(forms.ModelForm):
    """A choice says which of the other fields count."""

    switch = ""
    fields_of: dict[str, tuple[str, ...]] = {}
    listener: Listener
    user: Actor

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, rows in self.offered().items():
            field = cast(forms.ModelChoiceField, self.fields[name])
            field.queryset = rows(self.chosen(name))
        self.fields[self.switch].widget.attrs["data-switch"] = self.switch
        for name in self.dependent():
            when = [key for key, names in self.fields_of.items() if name in names]
            self.fields[name].widget.attrs |= shown_when(self.switch, *when)

    @classmethod
    def dependent(cls) -> set[str]:
        return {name for names in cls.fields_of.values() for name in names}

    def offered(self) -> Mapping[str, Rows]:
        """What each field offers, by the row that is chosen in it."""
        return {}

    def chosen(self, name: str) -> int | None:
        return cast(int | None, getattr(self.instance, f"{name}_id"))

    def clean(self) -> dict[str, Any]:
        """What is not shown for the choice is not kept either."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        kept = self.fields_of.get(cleaned.get(self.switch, ""), ())
        for name in self.dependent() - {*kept}:
            is_row = isinstance(self.fields[name], forms.ModelChoiceField)
            cleaned[name] = None if is_row else ""
            self.errors.pop(name, None)
        return cleaned


class CheckForm(PartForm):
    switch = "scheme"
    fields_of = SCHEME_FIELDS

    def offered(self) -> Mapping[str, Rows]:
        of, user = self.listener, self.user
        return {
            "secret": partial(secrets_for, of, user),
            "api_key": partial(api_keys_for, of, user),
        }


class ActionForm(PartForm):
    switch = "kind"
    fields_of = KIND_FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("value", "value_map"):
            self.fields[name].widget.attrs |= {"rows": 3, "spellcheck": "false"}
        self.fields["value"].widget.attrs["data-template"] = ""

    def offered(self) -> Mapping[str, Rows]:
        rows = macros_for(self.listener, self.user, "macros.change_listener")
        return {"macro": lambda chosen: rows}


class PartFormSet(BaseInlineFormSet):
    def add_fields(self, form: Any, index: int | None) -> None:
        """What there is to choose from is looked up once for all forms.

        But for a row that is chosen already and would not be offered.
        """
        super().add_fields(form, index)
        known: dict[str, list[Any]] = vars(self).setdefault("choices", {})
        for name, rows in form.offered().items():
            field, chosen = form.fields[name], form.chosen(name)
            if name not in known:
                own, field.queryset = field.queryset, rows(None)
                known[name] = [each for each in field.choices]  # noqa: C416
                field.queryset = own
            if chosen is None or any(str(key) == str(chosen) for key, _ in known[name]):
                field.choices = known[name]

    def kept_forms(self) -> list[Any]:
        """Those that are filled in and stay; actions in their order."""
        gone = self.deleted_forms
        kept = [
            form
            for form in self.forms
            if form not in gone and (form.has_changed() or form.instance.pk)
        ]
        return sorted(kept, key=lambda form: getattr(form.instance, "position", 0))


class PartInline(ScopedInline, admin.StackedInline):
    formset = PartFormSet
    # The name of the section that it stands behind.
    after = ""

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        """One to fill in, for browsers without scripts."""
        return 1

    def get_formset(
        self, request: HttpRequest, obj: Any = None, **kwargs: Any
    ) -> type[BaseInlineFormSet]:
        listener = obj or request.listener  # type: ignore[attr-defined]
        members = {"listener": listener, "user": request.user}
        kwargs["form"] = type(f"Fitting{self.form.__name__}", (self.form,), members)
        return super().get_formset(request, obj, **kwargs)

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            # Without links, as those would offer what does not fit.
            field.widget = field.widget.widget
        return field


class CheckInline(PartInline):
    model = ListenerCheck
    form = CheckForm
    after = "Who may call"
    verbose_name = "way to show who calls"
    verbose_name_plural = "How a caller shows who it is"
    fields = ["scheme", "secret", "api_key", "header", "algorithm", "encoding"]
    fields += ["prefix"]


class ActionInline(PartInline):
    model = ListenerAction
    form = ActionForm
    after = "Which events"
    verbose_name = "action"
    verbose_name_plural = "What it does, in this order"
    fields = ["position", "kind", "macro", "name", "value", "value_map"]

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "position":
            kwargs["label"] = "Order"
            kwargs["initial"] = self._next(request)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def _next(self, request: Any) -> int:
        """A new action comes after those that there are; looked up once a request."""
        if not hasattr(request, "next_action"):
            request.next_action = self._find_next(request)
        return cast(int, request.next_action)

    def _find_next(self, request: HttpRequest) -> int:
        listener = getattr(request, "listener", None)
        if listener is None or listener.pk is None:
            return 1
        last = listener.actions.order_by("position").last()
        return 1 if last is None else last.position + 1
