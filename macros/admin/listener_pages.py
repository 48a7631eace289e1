"""The pages beside a listener's own: on and off, a new address, trying it."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from feedback.access.unlocking import locked_message
from feedback.console.overlaps import OverlapForm
from feedback.console.scoping import ScopedAdmin
from feedback.texts import NUMBER
from logs import audit
from logs.models import Action

from ..listeners.payloads import Unreadable
from ..models import InboundCall, Listener
from .examples import payload_of, tree_of

LIST = "admin:macros_listener_changelist"


class ListenerPages(ScopedAdmin[Listener]):
    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        pages = {
            "toggle": self.toggle,
            "renew": self.renew,
            "example": self.example,
        }
        return [
            *(
                path(f"<row:pk>/{name}/", wrap(view), name=f"macros_listener_{name}")
                for name, view in pages.items()
            ),
            *super().get_urls(),
        ]

    def toggle(self, request: HttpRequest, pk: int) -> HttpResponse:
        """On or off with one click."""
        listener = self.row_to(request, self.permission_to("change"), pk)
        is_on = not listener.is_active
        if request.method != "POST":
            return self.to_page(pk)
        if is_on and not listener.community.is_unlocked():
            messages.error(request, locked_message(listener.community, "Listeners"))
            return self.to_page(pk)
        action = Action.SWITCHED_ON if is_on else Action.SWITCHED_OFF
        with transaction.atomic():
            rows = Listener.objects.filter(pk=pk, is_active=not is_on)
            if rows.update(is_active=is_on):
                audit.record(action, listener)
        messages.success(request, f"{listener} is {'on' if is_on else 'off'}.")
        if "action" in request.POST:  # The list's rows stand in its form.
            return HttpResponseRedirect(reverse(LIST))
        return self.to_page(pk)

    def renew(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Another address; the present one works on for as long as the person says."""
        listener = self.row_to(request, self.permission_to("change"), pk)
        present = listener.keys.filter(ends_at=None).first()
        issued = str(present.pk if present else 0)
        form = OverlapForm("address", issued, request.POST or None)
        if request.method == "POST" and form.is_valid():
            self._renew(request, listener, form)
            return self.to_page(pk)
        context = {
            **self.admin_site.each_context(request),
            "title": f"New address for {listener}",
            "opts": self.opts,
            "listener": listener,
            "form": form,
            "earlier": listener.keys.filter(ends_at__gt=timezone.now()),
        }
        template = "admin/macros/listener/renew.html"
        return TemplateResponse(request, template, context)

    def _renew(
        self, request: HttpRequest, listener: Listener, form: OverlapForm
    ) -> None:
        with transaction.atomic():
            Listener.objects.select_for_update().get(pk=listener.pk)
            present = listener.keys.filter(ends_at=None).first()
            if not form.is_of(str(present.pk if present else 0)):
                messages.warning(request, "The address was replaced already.")
                return
            listener.renew_key(timezone.now() + form.overlap)
            detail = "It got a new address. The one before works on:"
            detail = f"{detail} {form.in_words}."
            audit.record(Action.CHANGED, listener, detail=detail)
        text = "This is the new address. The one before works on: "
        messages.success(request, f"{text}{form.in_words}.")

    def example(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A stored call as a tree to click locations from."""
        listener = self.row_to(request, self.permission_to("view"), pk)
        context: dict[str, object] = {}
        try:
            call = self.stored_call(listener, request.GET.get("call", ""))
            context = {"call": call, "nodes": tree_of(payload_of(listener, call))}
        except ValidationError as error:
            context["problem"] = " ".join(error.messages)
        except Unreadable as error:
            context["problem"] = str(error)
        html = render_to_string("admin/macros/listener/example.html", context)
        return JsonResponse({"html": html})

    def stored_call(self, listener: Listener, number: str) -> InboundCall:
        """Raises ValidationError."""
        call = None
        if NUMBER.fullmatch(number):
            call = listener.calls.filter(pk=int(number)).first()
        if call is None:
            raise ValidationError("There is no such call any more.")
        return call

    def to_page(self, pk: int) -> HttpResponseRedirect:
        page = reverse("admin:macros_listener_change", args=[pk])
        return HttpResponseRedirect(page)
