"""Who may see which rows: one rule, used by admin, pickers, actions and API."""

from __future__ import annotations

from typing import Any, Self, TypeVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)


class ScopedQuerySet(QuerySet[M]):
    """Rows that belong to a tenant."""

    def visible_to(self, user: AbstractBaseUser | AnonymousUser | Any) -> Self:
        """Superusers see all; nobody else sees anything until roles say so."""
        if user.is_active and getattr(user, "is_superuser", False):
            return self
        return self.none()
