"""The mode in the admin: a banner on every page, and a page for superusers."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from feedback import mode
from feedback.access.keys import Actor
from feedback.console.parts import Meaning
from feedback.models import Installation, Mode

from . import installation
from .waiting import on_the_way, what_waits

# What a person may choose, on which button, and what is true afterwards.
_CHOICES = {
    Mode.NORMAL: "CenterHook sends: what waited is on its way.",
    Mode.PAUSED: "CenterHook is paused: within two seconds no worker begins anything.",
    Mode.READ_ONLY: "CenterHook is read-only: pages can be read, nothing else.",
}
_MEANINGS = {
    Mode.NORMAL: Meaning.GOOD,
    Mode.PAUSED: Meaning.WAITING,
    Mode.READ_ONLY: Meaning.WAITING,
}


@dataclass(frozen=True, slots=True)
class Banner:
    """What every page says while nothing is sent."""

    state: mode.State
    user: Actor

    @property
    def is_read_only(self) -> bool:
        return self.state.mode == Mode.READ_ONLY

    def waits(self) -> list[str]:
        return what_waits(self.user)


def banner_for(user: Actor) -> Banner | None:
    state = mode.state()
    return None if state.mode == Mode.NORMAL else Banner(state, user)


def mode_page(site: AdminSite, request: HttpRequest) -> HttpResponse:
    if not request.user.is_superuser:
        raise PermissionDenied
    if request.method == "POST":
        _act(request)
        return redirect("admin:mode")
    state = mode.state()
    context = {
        **site.each_context(request),
        # It says all that the banner would.
        "mode_banner": None,
        "title": "Mode",
        "state": state,
        "meaning": _MEANINGS[state.mode],
        "is_sending": state.mode == Mode.NORMAL,
        "is_paused": state.mode == Mode.PAUSED,
        "is_read_only": state.mode == Mode.READ_ONLY,
        "installation": Installation.objects.the_one(),
        "differences": installation.differences(),
    }
    if state.mode != Mode.NORMAL:
        actor = request.user
        context |= {"waits": what_waits(actor), "on_the_way": on_the_way(actor)}
    return TemplateResponse(request, "admin/mode.html", context)


def _act(request: HttpRequest) -> None:
    """The button that was pressed; a person's choice never wins over the operator's."""
    chosen = request.POST.get("mode", "")
    actor: Actor = request.user
    if chosen == "adopt":
        installation.adopt(actor)
        messages.success(request, "The keys and the address of now are noted.")
    elif mode.state().is_set_by_operator:
        sentence = "The setting MODE decides, so nothing was changed here."
        messages.error(request, sentence)
    elif chosen in _CHOICES:
        new = Mode(chosen)
        installation.set_mode(new, actor)
        messages.success(request, _CHOICES[new])
    else:
        messages.error(request, "Choose one of the buttons.")
