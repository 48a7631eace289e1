"""Forms that show again what was typed before a session ended, and save nothing."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse

# The parameter that typed.js adds to what it sends again.
TYPED = "_typed"


def is_typed(request: HttpRequest) -> bool:
    return request.method == "POST" and TYPED in request.POST


class TypedAgainAdmin(admin.ModelAdmin):
    """For every page with a form of one row."""

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        return _unsaved(form) if is_typed(request) else form

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["is_typed"] = is_typed(request)
        return super().render_change_form(request, context, *args, **kwargs)


def _unsaved(form: type[ModelForm]) -> type[ModelForm]:
    """Checked like any, so that it shows its faults, and never good enough to save."""

    def is_valid(self: ModelForm) -> bool:
        form.is_valid(self)
        return False

    return type(form.__name__, (form,), {"is_valid": is_valid})
