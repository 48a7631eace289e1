from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import InlineModelAdmin
from django.db.models import Prefetch, QuerySet
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.text import capfirst

from feedback.access.unlocking import Lock, explain_lock
from feedback.console.auditing import DomainSavedAdmin
from feedback.console.scoping import may_here
from feedback.models import Community, SubjectKind

from ..config import save_macro
from ..models import Macro, Step, kind_accessors
from ..models.usage import users_of
from ..retries import CAUSE_LABELS, MAX_RETRY_AFTER, in_words
from ..runs.control import pause_macro, resume_macro, said_of_runs
from ..schedules.listing import rows_for as schedule_rows
from ..triggers.listing import rows_for as trigger_rows
from .copies import CopiesMixin
from .editor import EditorMixin
from .macro_form import MacroForm
from .new_macro import NewMacroPages
from .owners import key_of, tester_owners
from .steps import StepInline, listed_steps, step_inlines, steps_in
from .tags import reference
from .testing import TestsMixin
from .versions import VersionsMixin

_Fields = list[str | list[str] | tuple[str, ...] | tuple[()]]
_RETRIES: _Fields = [
    "retry_ladder",
    tuple(f"retry_{cause}" for cause in CAUSE_LABELS),
    "retry_unknown",
    "give_up_after",
]
_OPTIONS: _Fields = ["asks_confirmation", "once_per_subject"]
_ABOUT_RETRIES = (
    "What is tried again, and when. A destination that asks for a longer"
    f" wait (Retry-After) gets it, up to {in_words(MAX_RETRY_AFTER)}. A run keeps what"
    " it started with."
)
_ABOUT_STEPS = (
    "They are done in this order. One that fails stops those after it, for that ticket"
    " or tester."
)
_LATER_STEPS = (
    " Steps that change the status or a form field can be added once the macro is"
    " saved, since they are of its feedback type."
)


@admin.register(Macro)
class MacroAdmin(
    EditorMixin, NewMacroPages, TestsMixin, VersionsMixin, CopiesMixin, DomainSavedAdmin
):
    form = MacroForm
    list_display = [
        "name",
        "runs_on",
        "does",
        "is_active",
        "paused",
        "webhook_log",
        "modified_at",
    ]
    list_select_related = ["feedback_type__project", "project", "community"]
    list_filter = ["is_active"]
    linked_parameters = ("feedback_type", "feedback_type__isnull")
    search_fields = ["name", "description"]
    autocomplete_fields = ["feedback_type"]
    # A macro moves to another type of its project, and no further.
    picks_beside = {"feedback_type": "project__feedback_types__macros"}
    fieldsets = [
        (None, {"fields": ["feedback_type", "name", "description", "is_active"]}),
        ("Options", {"fields": _OPTIONS, "classes": ["collapse"]}),
        (
            "Retries",
            {
                "fields": _RETRIES,
                "description": _ABOUT_RETRIES,
                "classes": ["collapse"],
            },
        ),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Macro | None = None) -> Any:
        """A new macro says what it runs on; a user macro stays where it is."""
        runs_on = ["feedback_type"]
        if obj is None:
            runs_on.append("testers_of")
        elif obj.subject_kind == SubjectKind.TESTER:
            runs_on = ["runs_on"]
        (name, first), *rest = super().get_fieldsets(request, obj)
        names = [each for each in first["fields"] if each != "feedback_type"]
        return [(name, {**first, "fields": [*runs_on, *names]}), *rest]

    def get_readonly_fields(
        self, request: HttpRequest, obj: Macro | None = None
    ) -> Any:
        return [*super().get_readonly_fields(request, obj), "runs_on"]

    def get_form(
        self,
        request: HttpRequest,
        obj: Macro | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> type[ModelForm]:
        owners = [] if obj else tester_owners(request.user)
        kwargs["form"] = type("MacroFormWithOwners", (self.form,), {"owners": owners})
        return super().get_form(request, obj, change, **kwargs)

    def page_of(self, request: HttpRequest, obj: Macro) -> dict[str, object]:
        user, own = request.user, Macro.objects.filter(pk=obj.pk)
        adds = [
            (kind, f"{reverse(f'admin:macros_{kind}_add')}?macro={obj.pk}")
            for kind in ("trigger", "schedule")
            if may_here(request, f"macros.add_{kind}", obj)
        ]
        return {
            "owner_key": key_of(obj.owner),
            "automation": [*trigger_rows(user, own), *schedule_rows(user, own)],
            "add_automation": adds,
        }

    def notes_on_deletion(self, rows: Sequence[Macro]) -> list[str]:
        users = [label for row in rows for _, label in users_of(row)]
        deleted = [f"Deleted with it: {label}." for label in users]
        return [*deleted, *said_of_runs(Macro, rows)]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("tags/", wrap(self.tags), name="macros_macro_tags"),
            path("<row:pk>/pause/", wrap(self.pause), name="macros_macro_pause"),
            path("<row:pk>/resume/", wrap(self.resume), name="macros_macro_resume"),
            *super().get_urls(),
        ]

    def tags(self, request: HttpRequest) -> HttpResponse:
        return reference(self, request)

    def get_inlines(
        self, request: HttpRequest, obj: Macro | None
    ) -> list[type[InlineModelAdmin]]:
        return [*step_inlines()]

    def get_inline_instances(
        self, request: HttpRequest, obj: Macro | None = None
    ) -> list[Any]:
        """The kinds of steps that the macro can have."""
        is_locked = self._lock(request, obj) is not None
        inlines = super().get_inline_instances(request, obj)
        used = {type(step) for step in _steps_of(obj)} if obj else set()
        steps = [
            inline
            for inline in inlines
            if isinstance(inline, StepInline) and inline.fits(request, obj, is_locked)
        ]
        for inline in steps:
            inline.is_used = inline.model in used
        return steps

    def _lock(self, request: HttpRequest, obj: Macro | None) -> Lock | None:
        """The lock of the page; looked up once a request."""
        if not hasattr(request, "lock_of_page"):
            request.lock_of_page = self._find_lock(  # type: ignore[attr-defined]
                request, obj
            )
        return request.lock_of_page  # type: ignore[attr-defined,no-any-return]

    def _find_lock(self, request: HttpRequest, obj: Macro | None) -> Lock | None:
        """The lock of the macro's community, or of all that a new one may be in."""
        if obj is not None:
            communities = [obj.community]
        else:
            add = self.permission_to("add")
            communities = list(Community.objects.visible_to(request.user, add))
        if not communities or any(each.is_unlocked() for each in communities):
            return None
        return explain_lock(communities[0], request.user)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, object],
        *args: Any,
        **kwargs: Any,
    ) -> HttpResponse:
        macro = kwargs.get("obj")
        context["lock"] = self._lock(request, macro)
        sees = macro is not None and may_here(request, "macros.view_step", macro)
        stored = _steps_of(macro) if macro is not None and sees else []
        formsets: Any = context["inline_admin_formsets"]
        context["steps"] = listed_steps(formsets, stored, request.POST)
        context["about_steps"] = _ABOUT_STEPS + ("" if macro else _LATER_STEPS)
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(
        self, request: HttpRequest, obj: Macro, form: ModelForm, change: bool
    ) -> None:
        """The macro is saved together with its steps: see the next."""

    def save_related(
        self,
        request: HttpRequest,
        form: ModelForm,
        formsets: Iterable[BaseInlineFormSet],
        change: bool,
    ) -> None:
        macro: Macro = form.instance
        steps = steps_in(macro, formsets, request.POST)
        save_macro(macro, steps, request.user)

    def pause(self, request: HttpRequest, pk: int) -> HttpResponse:
        macro = self.row_to(request, self.permission_to("change"), pk)
        if request.method == "POST":
            pause_macro(macro, f"{request.user} paused it.")
            messages.success(request, f"{macro} is paused: its runs wait.")
        return HttpResponseRedirect(reverse("admin:macros_macro_change", args=[pk]))

    def resume(self, request: HttpRequest, pk: int) -> HttpResponse:
        macro = self.row_to(request, self.permission_to("change"), pk)
        if request.method == "POST":
            resume_macro(macro)
            messages.success(request, f"{macro} is resumed: what waited goes on.")
        return HttpResponseRedirect(reverse("admin:macros_macro_change", args=[pk]))

    @admin.display(description="runs on", ordering="feedback_type")
    def runs_on(self, macro: Macro) -> str:
        return macro.runs_on

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        steps = Step.objects.select_related(*kind_accessors())
        rows = (
            super()
            .get_queryset(request)
            .select_related("feedback_type__project", "project", "community")
        )
        return rows.prefetch_related(Prefetch("steps", steps))

    @admin.display(description="steps")
    def does(self, macro: Macro) -> str:
        kinds = [
            step.label() if step.is_active else f"{step.label()} (off)"
            for step in _steps_of(macro)
        ]
        return capfirst(", then ".join(kinds)) or "-"

    @admin.display(ordering="paused_at")
    def paused(self, macro: Macro) -> str | None:
        """The list's rows stand in its form, so the button only names another URL."""
        if not macro.paused_reason:
            return None
        return format_html(
            '<span class="state state-paused">Paused</span> {} <button type="submit"'
            ' class="button" formaction="{}">Resume</button>',
            macro.paused_reason,
            reverse("admin:macros_macro_resume", args=[macro.pk]),
        )

    @admin.display(description="webhook log")
    def webhook_log(self, macro: Macro) -> str:
        return format_html(
            '<a href="../../logs/delivery/?run__macro={}">Webhook log</a>', macro.pk
        )


def _steps_of(macro: Macro) -> list[Step]:
    """Its steps, which the admin's rows have brought along."""
    return [step.concrete for step in macro.steps.all()]
