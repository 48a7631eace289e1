"""Perform Action: what will be sent, then the run."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from feedback.models import SubjectKind
from logs.models import Cause, Run
from macros import queue
from macros.models import Macro
from macros.runs import RunRefused, not_run_on, nothing_left, start_run, subjects_of
from macros.steps import hosts
from macros.steps.previews import Preview, preview
from macros.tags import TemplateError

from ..access.unlocking import explain_lock
from ..console.bars import MACRO
from ..rest.idempotency import fingerprint
from ..selection.confirmed import SelectionChanged, digest_of, what_changed
from .lists import ConditionsAdmin

# Whatever the macro says, and then the count has to be typed.
ALWAYS_ASKS_ABOVE = 1_000
# As people group digits: 12,345 and 12.345 and 12 345 and 12'345.
_SEPARATORS = re.compile(r"[\s,.'’_]")


Action = tuple[Callable[..., Any], str, str]


def as_action(macro: Macro, label: str) -> tuple[str, Action]:
    """The macro among the actions of a list, by its name there.

    Django formats labels, and a macro may be called `50% off`.
    """
    name = f"{MACRO}{macro.pk}"
    return name, (partial(perform, macro=macro), name, label.replace("%", "%%"))


def hosts_of(macros: Iterable[Macro]) -> dict[str, str]:
    """Where each macro sends, by the name of its action."""
    named = hosts.hosts_of(macros)
    return {f"{MACRO}{key}": words for key, words in named.items()}


def perform(
    modeladmin: ConditionsAdmin,
    request: HttpRequest,
    selected: QuerySet,
    *,
    macro: Macro,
) -> HttpResponse | None:
    """The confirmation page on the first POST, the run on the second.

    The page carries the run's key, so that a double click makes one run, and a digest
    of what was confirmed: if the run would be on anything else, people are asked
    again. Where nobody is asked, a form that is sent twice has one key as well.
    """
    key = _key_of(request)
    if Run.objects.visible_to(request.user).filter(key=key).exists():
        return _to_run(Run.objects.get(key=key))
    own = _own(macro, selected)
    subjects = not_run_on(macro, own)
    selection = _in_words(modeladmin, request)
    if _is_confirmed(request, macro, subjects.count()):
        try:
            return _start(request, own, macro, key, selection)
        except SelectionChanged:
            _say_what_changed(request, subjects.count())
    context = {
        **modeladmin.admin_site.each_context(request),
        **_confirmation(request, subjects, macro),
        **_left_out(macro, selected, own, subjects),
        "opts": modeladmin.opts,
        "selection": selection,
    }
    return TemplateResponse(request, "admin/feedback/perform_action.html", context)


def _left_out(
    macro: Macro, selected: QuerySet, own: QuerySet, subjects: QuerySet
) -> dict[str, object]:
    """How many of the selection it would not run on, and why."""
    left_out = 0 if own is selected else selected.count() - own.count()
    done_before = 0 if subjects is own else own.count() - subjects.count()
    counts: dict[str, object] = {"left_out": left_out, "done_before": done_before}
    if done_before and not subjects.exists():
        counts["problem"] = nothing_left(macro)
    return counts


def _is_confirmed(request: HttpRequest, macro: Macro, count: int) -> bool:
    """Whether the person wants it so, as far as they have to be asked."""
    confirmed = request.POST.get("confirmed_count")
    if confirmed is None:
        return not macro.asks_confirmation and 0 < count <= ALWAYS_ASKS_ABOVE
    if confirmed != str(count):
        _say_what_changed(request, count)
        return False
    typed = _SEPARATORS.sub("", request.POST.get("typed_count", ""))
    if count > ALWAYS_ASKS_ABOVE and typed != confirmed:
        messages.error(
            request, f"Type {count:,} below to confirm that you mean so many."
        )
        return False
    return True


def _say_what_changed(request: HttpRequest, count: int) -> None:
    confirmed = request.POST.get("confirmed_count", "")
    messages.warning(request, what_changed(confirmed, count))


def _check_selection(request: HttpRequest, run: Run) -> None:
    """That the run is on what was confirmed. Raises SelectionChanged.

    A form without a digest names its rows, or was not confirmed as nobody had to.
    """
    given = request.POST.get("confirmed_selection")
    across = request.POST.get("select_across") == "1"
    if given is None and not (across and "confirmed_count" in request.POST):
        return
    first_steps = run.deliveries.filter(step=0)
    if given != digest_of(first_steps, run.subject_kind):
        raise SelectionChanged


def _own(macro: Macro, selected: QuerySet) -> QuerySet:
    """The part of the selection that the macro runs on: not all testers may be."""
    if macro.subject_kind == SubjectKind.FEEDBACK:
        return selected
    pks = selected.order_by().values("pk")
    subjects: QuerySet = subjects_of(macro).filter(pk__in=pks)
    return subjects


def _in_words(modeladmin: ConditionsAdmin, request: HttpRequest) -> str:
    """How the subjects were selected, for the run's page."""
    words = [modeladmin.selection_in_words(request)]
    if request.POST.get("select_across") != "1":
        words.append("picked by hand")
    all_of_them = f"all {modeladmin.opts.verbose_name_plural}"
    return "; ".join(filter(None, words)) or all_of_them


def _start(
    request: HttpRequest,
    subjects: QuerySet,
    macro: Macro,
    key: str,
    selection: str,
) -> HttpResponse | None:
    try:
        with transaction.atomic():
            run = start_run(
                macro,
                subjects,
                cause=Cause.ACTION,
                actor=request.user,
                key=key,
                selection=selection,
            )
            _check_selection(request, run)
    except RunRefused as refusal:
        messages.error(request, str(refusal))
        return None
    return _to_run(run)


def _key_of(request: HttpRequest) -> str:
    """The confirmation's own; for a list, what this very form says.

    Each page that is shown has another CSRF token. A new key where there is neither.
    """
    try:
        return uuid.UUID(hex=request.POST.get("run_key", "")).hex
    except ValueError:
        if not request.POST.get("csrfmiddlewaretoken"):
            return uuid.uuid4().hex
    form = [request.user.pk, request.get_full_path(), sorted(request.POST.lists())]
    return fingerprint(form)[:32]


def _to_run(run: Run) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:logs_run_change", args=[run.pk]))


def _confirmation(
    request: HttpRequest, subjects: QuerySet, macro: Macro
) -> dict[str, object]:
    shown, problem = _preview(macro, subjects)
    lock = explain_lock(macro.community, request.user) if macro.is_locked() else None
    across = request.POST.get("select_across") == "1"
    return {
        "title": f"Perform Action: {macro.name}",
        "macro": macro,
        "runs_on": macro.runs_on,
        "noun": macro.subject_kind.label.lower(),
        "preview": shown,
        "problem": problem,
        "lock": lock,
        "type_count": shown.count > ALWAYS_ASKS_ABOVE,
        "has_worker": queue.has_worker(),
        "run_key": uuid.uuid4().hex,
        "digest": "" if problem else digest_of(subjects),
        "action_name": request.POST["action"],
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "select_across": across,
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME)[: 1 if across else None],
    }


def _preview(macro: Macro, subjects: QuerySet) -> tuple[Preview, str]:
    """What would be done, and why it can't be."""
    try:
        shown = preview(macro, subjects)
    except TemplateError as error:
        shown, problem = Preview(count=0), str(error)
    else:
        problem = ""
        if not shown.count:
            problem = f"Nothing of the selection is what it runs on: {macro.runs_on}."
        elif not shown.steps:
            problem = f"This macro {macro.why_idle}"
    if macro.paused_reason:
        problem = f"This macro is paused: {macro.paused_reason}"
    return shown, problem
