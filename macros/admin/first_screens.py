"""What the screen of each first step shows beside its button."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode

from feedback.access.unlocking import explain_lock
from feedback.selection.confirmed import digest_of

from .. import queue
from ..authoring.presets import all_presets
from ..first_steps.starters import all_starters
from ..first_steps.way import FirstStep, Way
from ..steps.previews import preview, preview_step
from ..tags import TemplateError

# The presets that are offered first; the others are one click away.
FIRST_PRESETS = (
    *("slack-text", "teams", "discord", "jira-create", "github", "any-json"),
)


def types(request: HttpRequest, way: Way) -> Mapping[str, object]:
    return {"starters": all_starters().values()}


def tickets(request: HttpRequest, way: Way) -> Mapping[str, object]:
    return {"import_url": _page_or_none("admin:feedback_feedback_import", way)}


def _page_or_none(name: str, way: Way) -> str:
    try:
        return f"{reverse(name)}?{urlencode({'type': way.kind.pk if way.kind else ''})}"
    except NoReverseMatch:
        return ""


def macros(request: HttpRequest, way: Way) -> Mapping[str, object]:
    query = urlencode(
        {
            "feedback_type": way.kind.pk if way.kind else "",
            "next": reverse("admin:first_steps"),
        }
    )
    presets = all_presets()
    return {
        "presets": [presets[name] for name in FIRST_PRESETS],
        "preset_count": len(presets),
        "query": query,
        "lock": _lock(request, way),
    }


def _lock(request: HttpRequest, way: Way) -> object:
    if way.community is None or FirstStep.KEY in way.done:
        return None
    return explain_lock(way.community, request.user)


def test(request: HttpRequest, way: Way) -> Mapping[str, object]:
    """The request for the newest ticket, whole."""
    step, ticket = way.request, way.tickets.first()
    shown: dict[str, object] = {
        "ticket": ticket,
        "has_worker": queue.has_worker(),
        "lock": _lock(request, way),
    }
    if step is not None and ticket is not None:
        try:
            shown["sent"], _ = preview_step(step, ticket)
        except TemplateError as error:
            shown["problems"] = [str(error)]
    return shown


def perform(request: HttpRequest, way: Way) -> Mapping[str, object]:
    """What would be sent, to where, and what came of the test."""
    shown: dict[str, object] = {
        "test": way.last_test,
        "has_worker": queue.has_worker(),
        "lock": _lock(request, way),
        "run_key": uuid.uuid4().hex,
        "digest": digest_of(way.first_tickets),
    }
    if way.macro is not None:
        try:
            shown["preview"] = preview(way.macro, way.first_tickets)
        except TemplateError as error:
            shown["problems"] = [str(error)]
    return shown


SCREENS: Mapping[FirstStep, Callable[[HttpRequest, Way], Mapping[str, object]]] = {
    FirstStep.TYPE: types,
    FirstStep.TICKETS: tickets,
    FirstStep.MACRO: macros,
    FirstStep.TEST: test,
    FirstStep.PERFORM: perform,
}
