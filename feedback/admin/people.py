"""Django's own pages for accounts and groups, as careful as the others."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User

from ..parameters import CheckedAdmin

admin.site.unregister([User, Group])


@admin.register(User)
class CheckedUserAdmin(CheckedAdmin, UserAdmin):
    pass


@admin.register(Group)
class CheckedGroupAdmin(CheckedAdmin, GroupAdmin):
    pass
