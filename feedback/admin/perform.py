"""Perform Action: what will be sent, then the run."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from logs.models import Cause, Run
from macros import queue
from macros.models import Macro
from macros.previews import Preview, preview
from macros.runs import RunRefused, start_run
from macros.tags import TemplateError

from ..models import Feedback
from ..unlocking import explain_lock

if TYPE_CHECKING:
    from .tickets import FeedbackAdmin


def perform(
    modeladmin: FeedbackAdmin,
    request: HttpRequest,
    tickets: QuerySet[Feedback],
    macro: Macro,
    selection: str,
) -> HttpResponse | None:
    """The confirmation page on the first POST, the run on the second.

    The page carries the run's key, so that a double click makes one run, and the
    count that was confirmed: if the selection has changed since, people are asked
    again.
    """
    key = _checked_key(request.POST.get("run_key", ""))
    if Run.objects.visible_to(request.user).filter(key=key).exists():
        return _to_run(Run.objects.get(key=key))
    confirmed = request.POST.get("confirmed_count")
    if confirmed is not None and confirmed == str(tickets.count()):
        return _start(request, tickets, macro, key, selection)
    if confirmed is not None:
        messages.warning(
            request, "The selection has changed meanwhile. Please check it again."
        )
    return _confirmation(modeladmin, request, tickets, macro, selection)


def _start(
    request: HttpRequest,
    tickets: QuerySet[Feedback],
    macro: Macro,
    key: str,
    selection: str,
) -> HttpResponse | None:
    try:
        run = start_run(
            macro,
            tickets,
            cause=Cause.ACTION,
            actor=request.user,
            key=key,
            selection=selection,
        )
    except RunRefused as refusal:
        messages.error(request, str(refusal))
        return None
    return _to_run(run)


def _checked_key(key: str) -> str:
    """The page's own key, or a new one where somebody made theirs up."""
    try:
        return uuid.UUID(hex=key).hex
    except ValueError:
        return uuid.uuid4().hex


def _to_run(run: Run) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:logs_run_change", args=[run.pk]))


def _confirmation(
    modeladmin: FeedbackAdmin,
    request: HttpRequest,
    tickets: QuerySet[Feedback],
    macro: Macro,
    selection: str,
) -> HttpResponse:
    problem = ""
    found = Preview(count=0)
    try:
        found = preview(macro, tickets)
    except TemplateError as error:
        problem = str(error)
    if macro.paused_reason:
        problem = f"This macro is paused: {macro.paused_reason}"
    elif not problem and not found.steps:
        problem = "This macro has no step yet, so there is nothing to do."
    lock = None
    if macro.is_locked():
        lock = explain_lock(macro.community, request.user)
    across = request.POST.get("select_across") == "1"
    context: dict[str, Any] = {
        **modeladmin.admin_site.each_context(request),
        "title": f"Perform Action: {macro.name}",
        "opts": modeladmin.opts,
        "macro": macro,
        "preview": found,
        "problem": problem,
        "lock": lock,
        "selection": selection,
        "has_worker": queue.has_worker(),
        "run_key": uuid.uuid4().hex,
        "action_name": request.POST["action"],
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "select_across": across,
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME)[: 1 if across else None],
    }
    template = "admin/feedback/feedback/perform_action.html"
    return TemplateResponse(request, template, context)
