"""The pages of the second factor, in the admin."""

from __future__ import annotations

from typing import Any

import segno
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.views import RedirectURLMixin, redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView, TemplateView
from django.views.generic.base import ContextMixin
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp.util import random_hex

from . import second_factor
from .second_factor import Device, SecondFactorRefused, Step

# Where the session keeps the key of an app that is being set up.
KEY = "second_factor_key"
OVERVIEW = "admin:second_factor"


class CodeForm(forms.Form):
    code = forms.CharField(
        max_length=64,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "autocapitalize": "none",
                "autofocus": True,
                "spellcheck": "false",
            }
        ),
    )


class Page(ContextMixin):
    """In the admin's frame, which shows nothing to people not signed in yet."""

    request: HttpRequest
    title = ""

    @property
    def person(self) -> Any:
        return self.request.person  # type: ignore[attr-defined]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = admin.site.each_context(self.request)
        context["is_nav_sidebar_enabled"] = self.request.user.is_authenticated
        context["title"] = self.title
        return {**context, **super().get_context_data(**kwargs)}

    def show_new_codes(self, next_url: str) -> HttpResponse:
        """Makes new recovery codes and shows them, for the only time."""
        codes = second_factor.new_recovery_codes(self.person)
        context = Page.get_context_data(self, codes=codes, next_url=next_url)
        context["title"] = "Your recovery codes"
        template = "admin/sign_in/recovery_codes.html"
        return TemplateResponse(self.request, template, context)


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class CodeFormPage(RedirectURLMixin, Page, FormView):
    """Asks for a code, and acts once it is accepted."""

    form_class = CodeForm
    next_page = "admin:index"

    def accept(self, code: str) -> Device:
        """Raises SecondFactorRefused."""
        return second_factor.check(self.person, code)

    def accepted(self, device: Device) -> HttpResponse:
        raise NotImplementedError

    def form_valid(self, form: CodeForm) -> HttpResponse:
        try:
            device = self.accept(form.cleaned_data["code"])
        except SecondFactorRefused as refusal:
            form.add_error("code", str(refusal))
            return self.form_invalid(form)
        return self.accepted(device)


class CodePage(CodeFormPage):
    """Asked for at sign-in, after the password."""

    title = "One more step"
    template_name = "admin/sign_in/code.html"

    def dispatch(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        if second_factor.step_left(self.person) is not Step.CODE:
            return redirect(self.get_success_url())
        return super().dispatch(request, *args, **kwargs)

    def accepted(self, device: Device) -> HttpResponse:
        second_factor.remember(self.request, device)
        return redirect(self.get_success_url())


class SetUpPage(CodeFormPage):
    title = "Set up the second factor"
    template_name = "admin/sign_in/set_up.html"

    def dispatch(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        if not self.person.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if second_factor.is_set_up(self.person):
            return redirect(OVERVIEW)
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        app = TOTPDevice(user=self.person, key=self._key())
        # Dark on light whatever the theme: not every camera reads light on dark.
        picture = segno.make(app.config_url, micro=False).svg_data_uri(
            scale=5, border=4, light="#fff", dark="#000"
        )
        key = second_factor.key_to_type(app)
        is_required = second_factor.step_left(self.person) is Step.SET_UP
        return super().get_context_data(
            picture=picture, key=key, is_required=is_required, **kwargs
        )

    def _key(self) -> str:
        """The session's own key, so that nobody who saw another session knows it."""
        key: str = self.request.session.setdefault(KEY, random_hex(20))
        return key

    def accept(self, code: str) -> Device:
        return second_factor.set_up(self.person, self._key(), code)

    def accepted(self, device: Device) -> HttpResponse:
        del self.request.session[KEY]
        second_factor.remember(self.request, device)
        return self.show_new_codes(self.get_success_url())


class OverviewPage(Page, TemplateView):
    title = "Second factor"
    template_name = "admin/sign_in/second_factor.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            is_set_up=second_factor.is_set_up(self.person),
            codes_left=second_factor.recovery_codes_left(self.person),
            **kwargs,
        )


class NewCodesPage(CodeFormPage):
    title = "Make new recovery codes"
    template_name = "admin/sign_in/confirm.html"
    extra_context = {
        "explanation": "You get ten new codes. The old ones stop working.",
        "button": "Make new codes",
    }

    def accepted(self, device: Device) -> HttpResponse:
        return self.show_new_codes(self.get_success_url())


class OffPage(CodeFormPage):
    title = "Switch the second factor off"
    template_name = "admin/sign_in/confirm.html"
    extra_context = {
        "explanation": "The app and the recovery codes stop working. To change to a new"
        " phone, set the second factor up again afterwards.",
        "button": "Switch off",
    }

    def accepted(self, device: Device) -> HttpResponse:
        second_factor.remove(self.person)
        messages.success(self.request, "The second factor is switched off.")
        return redirect(OVERVIEW)
