"""People's accounts, with the two actions that help those who can't sign in."""

from __future__ import annotations

from typing import Any

from axes.utils import reset
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Field, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from feedback.console.auditing import AuditedAdmin
from feedback.console.parameters import CheckedAdmin

from .sign_in import second_factor
from .sign_in.models import Identity

# Their pages would show keys; the second factor has pages of its own.
admin.site.unregister([TOTPDevice, StaticDevice])
admin.site.unregister([User, Group])


# Label and help of what a person may do, by the column.
_IN_WORDS = {
    "is_active": (
        "May sign in",
        "If this is off, the person can't sign in. Switch it off instead of deleting"
        " the account: what they did stays theirs.",
    ),
    "is_staff": (
        "Works here",
        "Needed to see any of these pages. It is switched on for whoever is made a"
        " member of a community.",
    ),
    "is_superuser": (
        "Superuser",
        "Sees and may do everything, in every community. All others get their rights by"
        " a role, on the page of a member.",
    ),
}


@admin.register(Group)
class CarefulGroupAdmin(AuditedAdmin, CheckedAdmin, GroupAdmin):
    pass


@admin.register(User)
class PeopleAdmin(AuditedAdmin, CheckedAdmin, UserAdmin):
    actions = ["unlock", "remove_second_factor", "unlink"]
    list_display = [
        "username",
        "email",
        "first_name",
        "last_name",
        "is_active",
        "is_superuser",
    ]
    list_filter = ["is_active", "is_superuser"]

    @transaction.atomic
    def user_change_password(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        return super().user_change_password(request, *args, **kwargs)

    def formfield_for_dbfield(
        self, db_field: Field, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Django's own texts are for whoever writes a site."""
        words = _IN_WORDS.get(db_field.name)
        if words:
            kwargs["label"], kwargs["help_text"] = words
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def has_superuser_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    @admin.action(description="Unlock sign-in", permissions=["superuser"])
    def unlock(self, request: HttpRequest, people: QuerySet[User]) -> None:
        for person in people:
            reset(username=person.username)
            self.log_change(request, person, "Unlocked sign-in.")
        text = f"Unlocked sign-in for {people.count()} of the chosen people."
        self.message_user(request, text, messages.SUCCESS)

    @admin.action(description="Unlink single sign-on", permissions=["superuser"])
    @transaction.atomic
    def unlink(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """For whom the provider has made anew: the next sign-in goes by the e-mail."""
        linked = list(people.filter(identities__isnull=False).distinct())
        Identity.objects.filter(user__in=linked).delete()
        for person in linked:
            self.log_change(request, person, "Unlinked from single sign-on.")
        names = ", ".join(person.username for person in linked) or "nobody: none was"
        text = f"Single sign-on is unlinked for {names}."
        self.message_user(request, text, messages.SUCCESS)

    @admin.action(description="Remove second factor", permissions=["superuser"])
    def remove_second_factor(
        self, request: HttpRequest, people: QuerySet[User]
    ) -> HttpResponse | None:
        """For a lost phone. Asks for a confirmation first, as deleting does."""
        if "confirmed" not in request.POST:
            context = {
                **self.admin_site.each_context(request),
                "title": "Remove the second factor?",
                "people": people,
                "checkbox_name": ACTION_CHECKBOX_NAME,
            }
            template = "admin/auth/user/remove_second_factor.html"
            return TemplateResponse(request, template, context)
        removed = [person for person in people if second_factor.remove(person)]
        for person in removed:
            self.log_change(request, person, "Removed the second factor.")
        names = (
            ", ".join(person.username for person in removed) or "nobody: none had one"
        )
        text = f"The second factor was removed for {names}."
        self.message_user(request, text, messages.SUCCESS)
        return None
