from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from ..access.actors import ScopedQuerySet, Tenancy
from ..access.privacy import NOTHING_PERSONAL
from ..access.roles import Role
from .communities import Community, Project


class Member(models.Model):
    """A person who works in a community; what they may do there is in their roles."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="members")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships"
    )
    created_at = models.DateTimeField("added", auto_now_add=True)

    tenancy = Tenancy("community")
    privacy = NOTHING_PERSONAL
    objects = ScopedQuerySet["Member"].as_manager()

    class Meta:
        ordering = ["user__username"]
        constraints = [
            models.UniqueConstraint(
                fields=["community", "user"],
                name="member_in_community",
                violation_error_message="This person is a member already.",
            )
        ]

    def __str__(self) -> str:
        return self.user.get_username()


class Grant(models.Model):
    """A role of a member, in the whole community or in one project."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="grants")
    role = models.CharField(max_length=20, choices=Role)
    project = models.ForeignKey(
        Project,
        models.CASCADE,
        related_name="grants",
        null=True,
        blank=True,
        help_text="Leave it empty for all projects of the community.",
    )

    tenancy = Tenancy("member__community")
    privacy = NOTHING_PERSONAL
    objects = ScopedQuerySet["Grant"].as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name = "role"
        constraints = [
            models.UniqueConstraint(
                fields=["member", "role", "project"],
                name="grant_in_project_once",
                violation_error_message="The member has this role there already.",
            ),
            models.UniqueConstraint(
                fields=["member", "role"],
                condition=models.Q(project=None),
                name="grant_in_community_once",
                violation_error_message="The member has this role already.",
            ),
        ]

    def __str__(self) -> str:
        where = self.project or "the whole community"
        return f"{self.get_role_display()} in {where}"

    def clean(self) -> None:
        if self.project is None:
            return
        if self.role == Role.COMMUNITY_MANAGER:
            problem = "A Community Manager's role is never in one project only."
            raise ValidationError({"project": problem})
        if self.project.community_id != self.member.community_id:
            raise ValidationError({"project": "The project is of another community."})
