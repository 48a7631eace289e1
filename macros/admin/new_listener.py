"""New listeners from a preset: one form, and it is there, switched on."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.debug import sensitive_post_parameters

from feedback.console.owners import ABOUT
from feedback.console.scoping import ScopedAdmin

from ..listeners.presets import PairMade, all_pairs, all_presets
from ..models import Listener
from .new_listener_form import PresetListenerForm, owners_for
from .new_pair_form import PairForm


class NewListenerPages(ScopedAdmin[Listener]):
    """The pages beside the list of listeners."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        form = sensitive_post_parameters()(self.new_from_preset)
        pair = sensitive_post_parameters()(self.new_pair)
        name = "macros_listener_from_preset"
        return [
            path("from-preset/", wrap(self.choose_preset), name=name),
            path("from-preset/both-ways/<slug:name>/", wrap(pair), name=f"{name}_pair"),
            path("from-preset/<slug:name>/", wrap(form), name=f"{name}_form"),
            *super().get_urls(),
        ]

    def choose_preset(self, request: HttpRequest) -> HttpResponse:
        self._check_permission(request)
        presets = list(all_presets().values())
        context = {
            "title": "New listener from a preset",
            "groups": [
                ("Well-known systems", [p for p in presets if not p.is_for_any]),
                ("Any system", [p for p in presets if p.is_for_any]),
            ],
            "pairs": list(all_pairs().values()),
            "about": request.GET.get(ABOUT, ""),
        }
        return self._page(request, "from_preset", context)

    def new_from_preset(self, request: HttpRequest, name: str) -> HttpResponse:
        self._check_permission(request)
        preset = all_presets().get(name)
        if preset is None:
            raise Http404("There is no preset of this name.")
        form = PresetListenerForm(
            request.POST or None,
            user=request.user,
            preset=preset,
            about=request.GET.get(ABOUT, ""),
        )
        if request.method == "POST" and form.is_valid() and (made := form.save()):
            text = f"{made} is there, and on. Copy its address into {preset.vendor}."
            messages.success(request, text)
            page = reverse("admin:macros_listener_change", args=[made.pk])
            return HttpResponseRedirect(page)
        context = {
            "title": preset.title,
            "preset": preset,
            "form": form,
            "is_empty": not owners_for(request.user, preset),
        }
        return self._page(request, "from_preset_form", context)

    def new_pair(self, request: HttpRequest, name: str) -> HttpResponse:
        """Macros with their triggers, and listeners, by one form."""
        self._check_permission(request)
        pair = all_pairs().get(name)
        if pair is None:
            raise Http404("There is no preset of this name.")
        form = PairForm(request.POST or None, user=request.user, pair=pair)
        made = form.save_pair() if request.POST and form.is_valid() else None
        if made is not None:
            messages.success(request, _in_words(made, pair.outgoing.vendor))
            return HttpResponseRedirect(reverse("admin:macros_listener_changelist"))
        context = {"title": pair.outgoing.title, "pair": pair, "form": form}
        return self._page(request, "both_ways", context)

    def _check_permission(self, request: HttpRequest) -> None:
        if not self.has_add_permission(request):
            raise PermissionDenied

    def _page(
        self, request: HttpRequest, name: str, context: Mapping[str, object]
    ) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts}
        template = f"admin/macros/listener/{name}.html"
        return TemplateResponse(request, template, {**shared, **context})


def _in_words(made: PairMade, vendor: str) -> str:
    rows = [*made.macros, *made.triggers, *made.listeners]
    names = "; ".join(f"{row._meta.verbose_name} {row}" for row in rows)
    return f"Made, and on: {names}. Copy the listeners' addresses into {vendor}."
