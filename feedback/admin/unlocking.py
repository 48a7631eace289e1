"""The button beside a lock: it creates an API key and comes back to what was begun."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme

from logs import audit
from logs.models import Action

from ..access.actors import may
from ..changes.signals import saved
from ..console.scoping import ScopedAdmin
from ..models import ApiKey, Community
from ..names import fold
from ..texts import NUMBER

NAME = "Unlocks the community"
_OWN = {"csrfmiddlewaretoken", "community", "next"}


class UnlockingPages(ScopedAdmin[ApiKey]):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.unlock)
        return [
            path("unlock/", view, name="feedback_apikey_unlock"),
            *super().get_urls(),
        ]

    def token_page(
        self, request: HttpRequest, key: ApiKey, token: str, **more: object
    ) -> HttpResponse:
        raise NotImplementedError

    def unlock(self, request: HttpRequest) -> HttpResponse:
        """A key that opens nothing itself; what was sent beside goes on with it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        back = _safe(request, request.POST.get("next", ""))
        if request.method != "POST":
            return redirect(back)
        community = self._community(request)
        with transaction.atomic():
            Community.objects.select_for_update().get(pk=community.pk)
            if community.is_unlocked():
                messages.info(request, f"The community {community} has a key already.")
                return redirect(back)
            key, token = _made(community)
        carried = [
            (name, value)
            for name, values in request.POST.lists()
            if name not in _OWN
            for value in values
        ]
        return self.token_page(request, key, token, back=back, carried=carried)

    def _community(self, request: HttpRequest) -> Community:
        given = request.POST.get("community", "")
        rows = Community.objects.visible_to(request.user)
        number = int(given) if NUMBER.fullmatch(given) else 0
        community = rows.filter(pk=number).first()
        if community is None:
            raise Http404("No community of this number.")
        if not may(request.user, self.permission_to("add"), community):
            raise PermissionDenied
        return community


def _made(community: Community) -> tuple[ApiKey, str]:
    taken = {fold(name) for (name,) in community.api_keys.values_list("name")}
    names = [NAME, *(f"{NAME} {number}" for number in range(2, len(taken) + 3))]
    name = next(each for each in names if fold(each) not in taken)
    key = ApiKey(community=community, name=name, scope_read=False)
    token = key.issue_token("")
    key.save()
    saved.send(ApiKey, before=None, after=key, parts=[], note="")
    audit.record(Action.REVEALED, key, detail="Its token was shown, once.")
    return key, token


def _safe(request: HttpRequest, url: str) -> str:
    """The page to come back to, if it is one of ours."""
    hosts: Any = {request.get_host()}
    is_own = url.startswith("/") and url_has_allowed_host_and_scheme(url, hosts)
    return url if is_own else reverse("admin:feedback_apikey_changelist")
