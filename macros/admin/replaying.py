"""The replay action of the log of calls: a count first, then the replay."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import pluralize
from django.template.response import TemplateResponse

from feedback.access.roles import RUN_MACRO
from feedback.console.scoping import ScopedAdmin
from feedback.selection.confirmed import digest_of, what_changed

from .. import queue
from ..listeners.replay import MAX_REPLAYED, ReplayRefused, by_listener, replay
from ..models import InboundCall, InboundOutcome


def replay_selected(
    modeladmin: ScopedAdmin[InboundCall],
    request: HttpRequest,
    selected: QuerySet[InboundCall],
) -> HttpResponse | None:
    """The confirmation page on the first POST, the replay on the second.

    The page carries a digest of what was confirmed: new calls come all the time, and
    those that nobody has seen are not replayed.
    """
    pks = list(selected.order_by("pk").values_list("pk", flat=True)[: MAX_REPLAYED + 1])
    calls = InboundCall.objects.filter(pk__in=pks)
    may = calls.visible_to(request.user, RUN_MACRO)
    if may.count() != len(pks):
        raise PermissionDenied
    if len(pks) > MAX_REPLAYED:
        messages.error(
            request,
            f"More than {MAX_REPLAYED:,} calls are selected. Narrow the list by a"
            " filter, such as a day or an outcome, and replay them in several turns.",
        )
        return None
    if "confirmed_count" in request.POST:
        if request.POST.get("confirmed_selection", "") == digest_of(calls):
            return _replay(request, calls)
        count = request.POST["confirmed_count"]
        messages.warning(request, what_changed(count, len(pks)))
    return _confirmation(modeladmin, request, calls, len(pks))


def _replay(request: HttpRequest, calls: QuerySet[InboundCall]) -> HttpResponse | None:
    try:
        count = replay(calls, actor=request.user)
    except ReplayRefused as refusal:
        messages.error(request, str(refusal))
        return None
    verb = pluralize(count, "is,are")
    text = f"{count:,} call{pluralize(count)} {verb} processed again."
    messages.success(request, text)
    return None


def _confirmation(
    modeladmin: ScopedAdmin[InboundCall],
    request: HttpRequest,
    calls: QuerySet[InboundCall],
    count: int,
) -> HttpResponse:
    across = request.POST.get("select_across") == "1"
    acted = calls.filter(events__outcome=InboundOutcome.ACTED).distinct().count()
    context: dict[str, object] = {
        **modeladmin.admin_site.each_context(request),
        "title": "Replay calls",
        "opts": modeladmin.opts,
        "preview": {"count": count},
        "digest": digest_of(calls),
        "listeners": by_listener(calls),
        "acted": acted,
        "has_worker": queue.has_worker(),
        "back": request.get_full_path(),
        "action_name": request.POST["action"],
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "select_across": across,
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME)[: 1 if across else None],
    }
    template = "admin/macros/inboundcall/replay.html"
    return TemplateResponse(request, template, context)
