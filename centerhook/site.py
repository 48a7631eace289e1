"""The admin site: Django's own, with the feedback types in its left-hand menu."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import include, path, reverse
from django.urls.resolvers import URLPattern, URLResolver
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode

from centerhook import __version__
from feedback.changes.rivals import once_more

from . import figures
from .doctor.page import doctor_page
from .menu import menu_groups, types_in_menu
from .mode_page import banner_for, mode_page
from .overview import context_of
from .releases import releases_page
from .search import search_page
from .sign_in import pages
from .sign_in.second_factor import step_left

APP_ORDER = {"logs": 0, "macros": 1, "feedback": 2}


class CenterHookAdminSite(admin.AdminSite):
    """Adds the second factor, the menu of feedback types, overview and figures."""

    site_title = "CenterHook"
    site_header = "CenterHook"
    index_title = "Overview"
    site_url = None

    def _second_factor(self) -> list[URLPattern]:
        signed_in = self.admin_view
        return [
            path("", signed_in(pages.OverviewPage.as_view()), name="second_factor"),
            path("code/", pages.CodePage.as_view(), name="second_factor_code"),
            path("set-up/", pages.SetUpPage.as_view(), name="second_factor_set_up"),
            path(
                "recovery-codes/",
                signed_in(pages.NewCodesPage.as_view()),
                name="second_factor_new_codes",
            ),
            path("off/", signed_in(pages.OffPage.as_view()), name="second_factor_off"),
            path(
                "leave/",
                LogoutView.as_view(next_page="admin:login"),
                name="second_factor_leave",
            ),
        ]

    def get_urls(self) -> list[URLPattern | URLResolver]:
        # Django's way to a row's public page: no row has one.
        djangos = [
            each
            for each in super().get_urls()
            if getattr(each, "name", "") != "view_on_site"
        ]
        search = self.admin_view(partial(search_page, self))
        return [
            path("search/", search, name="search"),
            path("second-factor/", include(self._second_factor())),
            path("doctor/", self.admin_view(partial(doctor_page, self)), name="doctor"),
            path(
                "what-is-new/",
                self.admin_view(partial(releases_page, self)),
                name="what_is_new",
            ),
            path("mode/", self.admin_view(partial(mode_page, self)), name="mode"),
            *figures.urls_of(self),
            path("first-steps/", include("macros.admin.first_steps")),
            *djangos,
        ]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Whoever comes second with the same name gets the page's own sentence."""
        return super().admin_view(once_more(view), cacheable)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Leads people who have given the password to the step that is left."""
        step = step_left(request.person)  # type: ignore[attr-defined]
        if request.method == "GET" and step:
            after = request.GET.get("next") or reverse("admin:index")
            return redirect(f"{reverse(step.value)}?{urlencode({'next': after})}")
        provider = settings.OIDC_NAME if settings.SINGLE_SIGN_ON else ""
        return super().login(request, {"provider": provider, **(extra_context or {})})

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = super().each_context(request)
        # Looked up only by the pages that show the menu.
        context["feedback_menu"] = SimpleLazyObject(lambda: types_in_menu(request.user))
        apps = context["available_apps"]
        context["menu_groups"] = menu_groups(apps, request.path)
        context["version"] = __version__
        context["mode_banner"] = banner_for(request.user)
        context["is_menu_folded"] = request.COOKIES.get("menu") == "folded"
        return context

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        menu = types_in_menu(request.user)
        own = {"feedback_menu": menu, **context_of(request, menu)}
        context = {**own, **(extra_context or {})}
        return super().index(request, context)

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[Any]:
        """What people open daily comes first."""
        apps = super().get_app_list(request, app_label)
        return sorted(apps, key=lambda app: APP_ORDER.get(app["app_label"], 99))
