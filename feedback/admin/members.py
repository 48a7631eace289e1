from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from ..access.actors import is_above_roles
from ..changes.signals import saved
from ..changes.stored import as_stored
from ..console.scoping import ScopedAdmin, ScopedInline
from ..models import Grant, Member


class GrantInline(ScopedInline, admin.TabularInline):
    model = Grant
    extra = 1
    verbose_name_plural = "roles"
    picks_beside = {"project": "community__members"}


class MemberForm(forms.ModelForm):
    """A person is named and not picked: a list would show who else has an account.

    By the user name alone, so that nobody tries out whose address has an account.
    """

    person = forms.CharField(
        label="User name",
        max_length=150,
        help_text="Of somebody who has an account here. If nobody has it, ask whoever"
        " runs this server to make one.",
    )

    class Meta:
        model = Member
        fields = ["community"]

    # Who sees all accounts anyway.
    takes_addresses = False

    def clean_person(self) -> AbstractUser:
        name = self.cleaned_data["person"].strip()
        if "@" in name and not self.takes_addresses:
            # The same whether somebody has this account or not.
            raise forms.ValidationError(
                "Give the user name, not an e-mail address. Whose user name is an"
                " address is added by whoever runs this server."
            )
        people = get_user_model().objects.filter(is_active=True)
        person = people.filter(username=name).first()
        if person is None:
            raise forms.ValidationError("Nobody has this account.")
        return person

    def clean(self) -> dict[str, object] | None:
        cleaned = super().clean()
        if person := self.cleaned_data.get("person"):
            self.instance.user = person
        return cleaned

    def _get_validation_exclusions(self) -> set[str]:
        """The user counts as one of the form's own fields: twice is refused."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded - {"user"} if "person" in self.cleaned_data else excluded


class SuperusersMemberForm(MemberForm):
    takes_addresses = True


@admin.register(Member)
class MemberAdmin(ScopedAdmin[Member]):
    """Who works in a community, and in which roles."""

    list_display = ["__str__", "community", "roles", "created_at"]
    list_select_related = ["community", "user"]
    search_fields = ["user__username", "user__email", "user__last_name"]
    inlines = [GrantInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("grants__project")

    def get_form(
        self,
        request: HttpRequest,
        obj: Member | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> type[ModelForm]:
        if obj is None:
            is_above = is_above_roles(request.user)
            kwargs["form"] = SuperusersMemberForm if is_above else MemberForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Member | None = None) -> Any:
        return ["user", "community", "created_at"] if obj else ["community", "person"]

    def get_readonly_fields(
        self, request: HttpRequest, obj: Member | None = None
    ) -> list[str]:
        return ["user", "community", "created_at"] if obj else []

    def save_model(
        self, request: HttpRequest, obj: Member, form: ModelForm, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        user = obj.user
        if not user.is_staff:
            before = as_stored(user)
            user.is_staff = True
            user.save(update_fields=["is_staff"])
            saved.send(type(user), before=before, after=user, parts=[], note="")

    @admin.display(description="roles")
    def roles(self, member: Member) -> str:
        return "; ".join(map(str, member.grants.all())) or "None: sees nothing"
