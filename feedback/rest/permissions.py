"""Whether the caller may do it at all; where, its querysets say."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import (
    APIException,
    NotAuthenticated,
    PermissionDenied,
)
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from ..access.keys import Actor, KeyActor, KeyRefused, scope_of
from .problems import refused


class HasPermission(BasePermission):
    """The view's `permission_needed()`, in some community or project."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            raise NotAuthenticated
        needed = view.permission_needed()
        if not request.user.has_perm(needed):
            raise lacks(request.user, needed)
        return True


def lacks(actor: Actor, permission: str) -> APIException:
    """What to raise; of a key it is counted as a refusal."""
    if isinstance(actor, KeyActor):
        try:
            actor.require(scope_of(permission))
        except KeyRefused as refusal:
            return refused(refusal)
        except KeyError:
            message = "No API key may do this: sign in as a person who may."
            return PermissionDenied(message, code="permission_denied")
        message = (
            "A key of one project may not do this: it reaches the whole community."
        )
        return PermissionDenied(message, code="permission_denied")
    message = f"Your role does not allow this: it lacks {permission}."
    return PermissionDenied(message, code="permission_denied")
