"""Test send: one web request, for one subject, to see what comes of it."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from feedback.access.actors import may
from feedback.access.keys import Actor
from feedback.access.roles import RUN_MACRO
from feedback.console.scoping import ScopedAdmin
from feedback.models import SubjectKind
from feedback.texts import storable
from logs.models import Run

from ..models import Macro
from ..runs import RunRefused, start_test, subjects_of
from ..steps.dry_run import Subject
from ..steps.kinds.web_request import WebRequest

_COLUMNS = {SubjectKind.FEEDBACK: "reference", SubjectKind.TESTER: "email"}
REAL, ECHO = "real", "echo"
MAX_NAME = 254


def find_subject(macro: Macro, actor: Actor, name: str = "") -> Subject | None:
    """A subject that the actor sees, by its reference or e-mail; None if there is none.

    The newest one if no name is given.
    """
    rows = subjects_of(macro).visible_to(actor)
    if name:
        column = _COLUMNS[macro.subject_kind]
        rows = rows.filter(**{f"{column}__iexact": storable(name)})
    subject: Subject | None = rows.order_by("-pk").first()
    return subject


def name_of_subject(macro: Macro, subject: Subject) -> str:
    """The name by which find_subject() finds it."""
    return str(getattr(subject, _COLUMNS[macro.subject_kind]))


def no_such_subject(macro: Macro, name: str) -> str:
    kind = macro.subject_kind.label.lower()
    return f"There is no {kind} '{name}' of {macro.owner}."


class TestForm(forms.Form):
    """Which web request is sent, for whom and where to."""

    step = forms.ModelChoiceField(
        WebRequest.objects.none(), label="Web request", empty_label=None
    )
    subject = forms.CharField(max_length=MAX_NAME)
    to = forms.ChoiceField(
        label="Send to",
        choices=[
            (ECHO, "The built-in echo: nothing is sent, the request comes back"),
            (REAL, "The real destination: the system gets the request and acts on it"),
        ],
        widget=forms.RadioSelect({"class": "radiolist"}),
        initial=ECHO,
    )
    store = forms.BooleanField(
        label="Store return values",
        required=False,
        help_text="Otherwise the log only says what would be stored.",
    )

    def __init__(self, *args: Any, macro: Macro, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.macro, self.actor = macro, actor
        steps = WebRequest.objects.filter(macro=macro).order_by("position", "pk")
        choice = cast(forms.ModelChoiceField, self.fields["step"])
        choice.queryset = steps
        choice.initial = steps.first()
        newest = find_subject(macro, actor)
        field = self.fields["subject"]
        field.label = macro.subject_kind.label
        field.initial = newest and name_of_subject(macro, newest)
        field.help_text = (
            "Its reference, such as BUG-12."
            if macro.subject_kind == SubjectKind.FEEDBACK
            else "Their e-mail."
        )

    def clean_subject(self) -> Subject:
        name = self.cleaned_data["subject"].strip()
        subject = find_subject(self.macro, self.actor, name) if name else None
        if subject is None:
            raise forms.ValidationError(no_such_subject(self.macro, name))
        return subject

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


class TestsMixin(ScopedAdmin):
    """The page beside a macro's own."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<row:pk>/test/", wrap(self.test_send), name="macros_macro_test"),
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


def result_of(run: Run) -> HttpResponse:
    """The page of the test's one delivery, which shows all that comes of it."""
    delivery = run.deliveries.get()
    return HttpResponseRedirect(
        reverse("admin:logs_delivery_change", args=[delivery.pk])
    )
