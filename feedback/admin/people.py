"""Django's own pages for accounts and groups, announced like the others."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from ..announcing import AnnouncingAdmin

admin.site.unregister([User, Group])


@admin.register(User)
class AnnouncingUserAdmin(AnnouncingAdmin, UserAdmin):
    @transaction.atomic
    def user_change_password(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        return super().user_change_password(request, *args, **kwargs)


@admin.register(Group)
class AnnouncingGroupAdmin(AnnouncingAdmin, GroupAdmin):
    pass
