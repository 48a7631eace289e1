"""Test send: one web request, for one subject, to see what comes of it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from feedback.access.actors import may
from feedback.access.roles import RUN_MACRO
from logs.models import Run, SubjectKind

from ..models import Macro, WebRequest
from ..runs import RunRefused, start_test, subjects_of

_COLUMNS = {SubjectKind.FEEDBACK: "reference", SubjectKind.TESTER: "email"}
REAL, ECHO = "real", "echo"
MAX_NAME = 254


def find_subject(macro: Macro, actor: Any, called: str = "") -> Any:
    """A subject that the actor sees, by its reference or e-mail; None if there is none.

    The newest one if nothing is asked for.
    """
    rows = subjects_of(macro).visible_to(actor)
    if called:
        rows = rows.filter(**{f"{_COLUMNS[macro.subject_kind]}__iexact": called})
    return rows.order_by("-pk").first()


def name_of_subject(macro: Macro, subject: Any) -> str:
    """By which find_subject() finds it."""
    return str(getattr(subject, _COLUMNS[macro.subject_kind]))


class TestForm(forms.Form):
    step = forms.ModelChoiceField(
        WebRequest.objects.none(), label="Web request", empty_label=None
    )
    subject = forms.CharField(max_length=MAX_NAME)
    to = forms.ChoiceField(
        label="Send to",
        choices=[
            (REAL, "The real destination: the system gets the request and acts on it"),
            (ECHO, "The built-in echo: nothing is sent, the request comes back"),
        ],
        widget=forms.RadioSelect({"class": "radiolist"}),
        initial=REAL,
    )
    store = forms.BooleanField(
        label="Store return values",
        required=False,
        help_text="Else you are only told what would be stored.",
    )

    def __init__(self, *args: Any, macro: Macro, actor: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.macro, self.actor = macro, actor
        steps = WebRequest.objects.filter(macro=macro).order_by("position", "pk")
        field: Any = self.fields["step"]
        field.queryset = steps
        field.initial = steps.first()
        newest = find_subject(macro, actor)
        about = self.fields["subject"]
        about.label = macro.subject_kind.label
        about.initial = newest and name_of_subject(macro, newest)
        about.help_text = (
            "Its reference, such as BUG-12."
            if macro.subject_kind == SubjectKind.FEEDBACK
            else "Their e-mail."
        )

    def clean_subject(self) -> Any:
        called = self.cleaned_data["subject"].strip()
        found = find_subject(self.macro, self.actor, called) if called else None
        if found is None:
            what = self.macro.subject_kind.label.lower()
            problem = f"There is no {what} '{called}' of {self.macro.owner}."
            raise forms.ValidationError(problem)
        return found

    def start(self) -> Run:
        """Raises RunRefused."""
        asked = self.cleaned_data
        step: WebRequest = asked["step"]
        step.macro = self.macro
        return start_test(
            step,
            asked["subject"],
            actor=self.actor,
            echo=asked["to"] == ECHO,
            store=asked["store"],
        )


class TestsMixin(ModelAdmin):
    """The page beside a macro's own."""

    row_to: Any

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/test/", wrap(self.test_send), name="macros_macro_test"),
            *super().get_urls(),
        ]

    def test_send(self, request: HttpRequest, pk: int) -> HttpResponse:
        macro = self.row_to(request, self.permission_to("change"), pk)
        if not may(request.user, RUN_MACRO, macro):
            raise PermissionDenied
        form = TestForm(request.POST or None, macro=macro, actor=request.user)
        if request.method == "POST" and form.is_valid():
            try:
                return result_of(form.start())
            except RunRefused as refusal:
                messages.error(request, str(refusal))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Test send: {macro.name}",
            "opts": self.opts,
            "macro": macro,
            "form": form,
        }
        return TemplateResponse(request, "admin/macros/macro/test.html", context)

    permission_to: Any


def result_of(run: Run) -> HttpResponse:
    """The page of the test's one delivery, which shows all that comes of it."""
    delivery = run.deliveries.get()
    return HttpResponseRedirect(
        reverse("admin:logs_delivery_change", args=[delivery.pk])
    )
