"""New macros from a preset or a pasted command; macros that exist stay as they are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters

from feedback.console.scoping import ScopedAdmin

from .. import crypto
from ..authoring.curl import CurlError, parse
from ..authoring.new_macros import draft
from ..authoring.presets import GROUPS, all_presets
from ..models import Macro
from .new_macro_form import NewMacroForm, types_for
from .new_macro_sources import CommandForm, PastedForm, PresetForm
from .owners import tester_owners


class NewMacroPages(ScopedAdmin[Macro]):
    """The pages beside the list of macros."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        curl = sensitive_post_parameters()(self.new_from_curl)
        preset = sensitive_post_parameters()(self.new_from_preset)
        return [
            path("new/", wrap(self.choose), name="macros_macro_new"),
            path("new/curl/", wrap(curl), name="macros_macro_new_curl"),
            path("new/<slug:name>/", wrap(preset), name="macros_macro_new_preset"),
            *super().get_urls(),
        ]

    def choose(self, request: HttpRequest) -> HttpResponse:
        return self._chooser(request, CommandForm())

    def new_from_preset(self, request: HttpRequest, name: str) -> HttpResponse:
        self._check_permission(request)
        preset = all_presets().get(name)
        if preset is None:
            raise Http404("There is no preset of this name.")
        form = PresetForm(
            request.POST or None,
            initial=_initial(request),
            user=request.user,
            preset=preset,
        )
        if request.method == "POST" and form.is_valid() and (macro := form.save()):
            return self._made(request, macro, form)
        context = {"title": preset.title, "preset": preset}
        if isinstance(preset.response["body"], dict):
            context["response_body"] = json.dumps(preset.response["body"], indent=2)
        return self._form_page(request, form, context)

    def new_from_curl(self, request: HttpRequest) -> HttpResponse:
        """First POST: the command. Second: what the command left open."""
        self._check_permission(request)
        if request.method != "POST":
            return HttpResponseRedirect(reverse("admin:macros_macro_new"))
        second = "sealed" in request.POST
        try:
            text = _unsealed(request) if second else request.POST.get("command", "")
            parsed = parse(text)
            understood = draft(parsed)
        except CurlError as error:
            command = CommandForm({"command": ""})
            command.errors["command"] = command.error_class([str(error)])
            return self._chooser(request, command)
        form = PastedForm(
            request.POST if second else None,
            initial={**_initial(request), "sealed": _sealed(request, text)},
            user=request.user,
            parsed=parsed,
            draft=understood,
        )
        if second and form.is_valid() and (macro := form.save()):
            return self._made(request, macro, form, understood.notes)
        context = {"title": "Start from a curl command", "draft": understood}
        return self._form_page(request, form, context)

    def _check_permission(self, request: HttpRequest) -> None:
        if not self.has_add_permission(request):
            raise PermissionDenied

    def _chooser(self, request: HttpRequest, command: CommandForm) -> HttpResponse:
        self._check_permission(request)
        query = request.GET.get("q", "")
        matching = [each for each in all_presets().values() if each.matches(query)]
        groups = [
            (group, [each for each in matching if each.group == group])
            for group in GROUPS
        ]
        context = {
            "title": "Start from",
            "groups": [(group, members) for group, members in groups if members],
            "query": query,
            "command_form": command,
            "feedback_type": _initial(request).get("feedback_type", ""),
            "has_owners": types_for(request.user).exists()
            or bool(tester_owners(request.user)),
        }
        return self._page(request, "admin/macros/macro/new.html", context)

    def _form_page(
        self, request: HttpRequest, form: NewMacroForm, context: Mapping[str, object]
    ) -> HttpResponse:
        return self._page(
            request, "admin/macros/macro/new_form.html", {**context, "form": form}
        )

    def _page(
        self, request: HttpRequest, template: str, context: Mapping[str, object]
    ) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts}
        return TemplateResponse(request, template, {**shared, **context})

    def _made(
        self,
        request: HttpRequest,
        macro: Macro,
        form: NewMacroForm,
        notes: Iterable[str] = (),
    ) -> HttpResponse:
        made = ", ".join(secret.name for secret in form.made)
        messages.success(
            request,
            f"The macro {macro} is made. Nothing has been sent. Try it on one"
            f" {macro.subject_kind.label.lower()} first."
            + (f" New secrets: {made}." if made else ""),
        )
        for note in notes:
            messages.warning(request, note)
        page = reverse("admin:macros_macro_change", args=[macro.pk])
        return HttpResponseRedirect(_next(request) or page)


def _next(request: HttpRequest) -> str:
    """The page of ours that the user wants to go back to."""
    url = request.GET.get("next", "")
    return url if url_has_allowed_host_and_scheme(url, allowed_hosts=None) else ""


def _initial(request: HttpRequest) -> dict[str, str]:
    """The type whose page the user comes from."""
    chosen = request.GET.get("feedback_type", "")
    return {"feedback_type": chosen} if chosen.isdecimal() else {}


def _sealed(request: HttpRequest, text: str) -> str:
    return crypto.encrypt(json.dumps(["curl", request.user.pk, text]))


def _unsealed(request: HttpRequest) -> str:
    """Raises CurlError where it is not what this user pasted."""
    try:
        what, user, text = json.loads(crypto.decrypt(request.POST["sealed"]))
    except (crypto.Undecryptable, ValueError, TypeError):
        what = user = text = None
    if what != "curl" or user != request.user.pk or not isinstance(text, str):
        raise CurlError("The command is lost. Paste it again.")
    return text
