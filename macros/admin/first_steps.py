"""The pages of the first steps: one screen per step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html

from ..first_steps.samples import remove_samples
from ..first_steps.way import FirstStep, Way, is_led, put_away, way_of
from .first_deeds import DEEDS, StepRefused
from .first_screens import SCREENS


def start(request: HttpRequest) -> HttpResponse:
    """Leads to the step that is next; at the end, what else there is."""
    way = _way_for(request)
    if way.next is not None:
        return redirect("admin:first_steps_step", way.next)
    return _page(request, way, None, {})


def show_step(request: HttpRequest, name: str) -> HttpResponse:
    way = _way_for(request)
    if name not in FirstStep:
        raise Http404("There is no such step.")
    step = FirstStep(name)
    if step not in way.steps:
        raise PermissionDenied
    if not way.is_open(step):
        return redirect("admin:first_steps")
    shown: Mapping[str, object] = {}
    if request.method == "POST":
        try:
            return _after(request, way, step)
        except StepRefused as refusal:
            shown = {"problems": refusal.problems, "given": request.POST}
    return _page(request, way, step, shown)


def _after(request: HttpRequest, way: Way, step: FirstStep) -> HttpResponse:
    """Do it, and show what comes then. Raises StepRefused."""
    result = DEEDS[step](request, way) if step in DEEDS else None
    if isinstance(result, HttpResponse):
        return result
    if result:
        # The token is on this one page: it is stored nowhere.
        way = way_of(request.user)
        return _page(request, way, way.next, {"token": result})
    return redirect("admin:first_steps")


def away(request: HttpRequest) -> HttpResponse:
    """Take the list of steps off the overview, or put it back."""
    _check(request)
    if request.method == "POST" and request.user.is_authenticated:
        put_away(request.user, away="back" not in request.POST)
        if "back" not in request.POST:
            page = reverse("admin:first_steps")
            text = "The first steps are hidden. They stay at"
            messages.info(
                request, format_html('{} <a href="{}">{}</a>', text, page, page)
            )
    return redirect("admin:index")


def samples(request: HttpRequest) -> HttpResponse:
    """Remove the sample tickets."""
    _check(request)
    if request.method == "POST":
        count = remove_samples(request.user)
        noun = "ticket is" if count == 1 else "tickets are"
        messages.success(request, f"{count:,} sample {noun} removed.")
    return redirect("admin:index")


def progress(request: HttpRequest) -> HttpResponse:
    """How the test stands, for the page that waits for it."""
    way = _way_for(request)
    test = way.last_test if way.macro else None
    html = render_to_string("admin/first_steps/tested.html", {"test": test})
    return JsonResponse({"state": test.state if test else "", "html": html})


def _page(
    request: HttpRequest, way: Way, step: FirstStep | None, shown: Mapping[str, object]
) -> HttpResponse:
    screen = SCREENS.get(step) if step else None
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": step.label if step else "First steps",
        "way": way,
        "step": step,
        "sample_count": way.sample_count,
        **(screen(request, way) if screen else {}),
        **shown,
    }
    return TemplateResponse(request, f"admin/first_steps/{step or 'end'}.html", context)


def _check(request: HttpRequest) -> None:
    if not is_led(request.user):
        raise PermissionDenied


def _way_for(request: HttpRequest) -> Way:
    _check(request)
    return way_of(request.user)


# The site includes this module by its name.
_signed_in = admin.site.admin_view
urlpatterns = [
    path("", _signed_in(start), name="first_steps"),
    path("away/", _signed_in(away), name="first_steps_away"),
    path("samples/", _signed_in(samples), name="first_steps_samples"),
    path("progress/", _signed_in(progress), name="first_steps_progress"),
    path("<slug:name>/", _signed_in(show_step), name="first_steps_step"),
]
