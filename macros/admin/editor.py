"""What the editor of steps asks while somebody writes; nothing is saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse

from feedback.access.actors import may
from feedback.access.roles import RUN_MACRO
from feedback.console.scoping import ScopedAdmin
from feedback.models import SubjectKind

from ..models import Macro
from ..runs import RunRefused, start_test, subjects_of
from ..steps.dry_run import Subject
from ..steps.kinds.web_request import BodyKind
from ..steps.previews import preview_step
from ..tags import TemplateError, format_json
from .drafts import (
    Draft,
    DraftRefused,
    draft_from,
    edited_inline,
    macro_from,
    saved_macro,
)
from .palette import render_palette
from .testing import ECHO, MAX_NAME, find_subject, name_of_subject, no_such_subject

MAX_OFFERED = 20

# What the editor's script gets.
Payload = dict[str, object]


def chosen_subject(macro: Macro, request: HttpRequest) -> Subject | None:
    """The subject that was asked for, or the newest; None if there is none at all.

    Raises DraftRefused.
    """
    field = forms.CharField(max_length=MAX_NAME, required=False)
    try:
        name: str = field.clean(request.POST.get("subject", ""))
    except forms.ValidationError as error:
        raise DraftRefused(" ".join(error.messages)) from None
    subject = find_subject(macro, request.user, name)
    if name and subject is None:
        raise DraftRefused(no_such_subject(macro, name))
    return subject


def macro_page(macro: Macro | None) -> str:
    if macro is None:
        return reverse("admin:macros_macro_add")
    return reverse("admin:macros_macro_change", args=[macro.pk])


class EditorMixin(ScopedAdmin):
    """One URL for a new macro, and one for each that there is."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        view = wrap(self.editor)
        return [
            path("editor/", view, name="macros_macro_new_editor"),
            path("<str:object_id>/editor/", view, name="macros_macro_editor"),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        macro: Macro | None = kwargs.get("obj")
        inlines = self.get_inline_instances(request, macro)
        inline = edited_inline(inlines)
        if inline is not None and inline.has_change_permission(request, macro):
            name = "macros_macro_editor" if macro else "macros_macro_new_editor"
            subject = macro.subject_kind if macro else SubjectKind.FEEDBACK
            context["editor"] = {
                "url": reverse(f"admin:{name}", args=[macro.pk] if macro else []),
                "palette": render_palette(macro),
                "subject": subject.label,
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def editor(
        self, request: HttpRequest, object_id: str | None = None
    ) -> HttpResponse:
        macro = saved_macro(self, request, object_id)
        if request.method != "POST":
            return redirect(macro_page(macro))
        actions: dict[str, Callable[[HttpRequest, Macro | None], Payload]] = {
            "check": self._check,
            "format": self._format,
            "palette": self._palette,
            "subjects": self._subjects,
            "test": self._test,
        }
        act = actions.get(request.POST.get("do", ""))
        try:
            if act is None:
                raise DraftRefused("The editor can't do that.")
            return JsonResponse(act(request, macro))
        except DraftRefused as refused:
            return JsonResponse({"refused": str(refused)})

    def _check(self, request: HttpRequest, saved: Macro | None) -> Payload:
        draft = draft_from(self, request, saved)
        html = _preview(draft, request) if draft.has_preview else ""
        line = {"text": draft.step.line, "note": draft.step.note}
        says = render_to_string("admin/ordered/line.html", {"line": line})
        return {"problems": draft.problems, "preview": html, "says": says}

    def _format(self, request: HttpRequest, saved: Macro | None) -> Payload:
        draft = draft_from(self, request, saved)
        written = vars(draft.step)
        if written.get("body_kind") != BodyKind.JSON:
            raise DraftRefused("Only a JSON body can be formatted.")
        try:
            body = format_json(written["body"], draft.macro.scope())
        except TemplateError as error:
            raise DraftRefused(f"The body is left as it is. {error}") from None
        return {"body": body}

    def _palette(self, request: HttpRequest, saved: Macro | None) -> Payload:
        macro = macro_from(self, request, saved)
        subject = chosen_subject(macro, request)
        return {
            "html": render_palette(macro, subject),
            "label": macro.subject_kind.label,
            "subject": "" if subject is None else name_of_subject(macro, subject),
            "subjects": _offered(macro, request),
        }

    def _subjects(self, request: HttpRequest, saved: Macro | None) -> Payload:
        return {"subjects": _offered(macro_from(self, request, saved), request)}

    def _test(self, request: HttpRequest, saved: Macro | None) -> Payload:
        draft = draft_from(self, request, saved)
        if not draft.has_preview:
            raise DraftRefused("Only a web request can be sent as a test.")
        if faulty := draft.faulty:
            raise DraftRefused(
                f"Correct first, then send the test: {', '.join(faulty)}."
            )
        if not may(request.user, RUN_MACRO, draft.macro.owner):
            raise PermissionDenied
        subject = chosen_subject(draft.macro, request)
        if subject is None:
            raise DraftRefused(f"There is nothing of {draft.macro.owner} to send.")
        try:
            run = start_test(
                draft.step,
                subject,
                actor=request.user,
                echo=request.POST.get("to", ECHO) == ECHO,
                store="store" in request.POST,
            )
        except RunRefused as refusal:
            raise DraftRefused(str(refusal)) from None
        pk = run.deliveries.get().pk
        return {
            "progress": reverse("admin:logs_delivery_progress", args=[pk]),
            "page": reverse("admin:logs_delivery_change", args=[pk]),
        }


def _preview(draft: Draft, request: HttpRequest) -> str:
    context: dict[str, object] = {
        "faulty": draft.faulty,
        "kind": draft.macro.subject_kind.label.lower(),
    }
    try:
        subject = chosen_subject(draft.macro, request)
    except DraftRefused as refused:
        subject, context["refused"] = None, str(refused)
    context["subject"] = subject
    if subject is not None and not draft.faulty:
        context["preview"], context["empty"] = preview_step(draft.step, subject)
    return render_to_string("admin/macros/macro/preview.html", context)


def _offered(macro: Macro, request: HttpRequest) -> list[dict[str, str]]:
    """The newest subjects in whose name or title the search is."""
    rows = subjects_of(macro).visible_to(request.user)
    sought = request.POST.get("search", "")[:MAX_NAME].replace("\0", "").strip()
    if macro.subject_kind == SubjectKind.FEEDBACK:
        rows = rows.filter(Q(reference__icontains=sought) | Q(title__icontains=sought))
    else:
        rows = rows.filter(email__icontains=sought)
    return [
        {"value": name_of_subject(macro, row), "label": str(row)[:80]}
        for row in rows.order_by("-pk")[:MAX_OFFERED]
    ]
