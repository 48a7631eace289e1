"""Outside programs: from the token in a request to what it may do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from .access import Access
from .models import ApiKey
from .roles import PERMISSIONS, Role


class KeyRefused(Exception):
    """Why a token opens nothing: a code for programs, a sentence for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass
class KeyActor:
    """An API key at work; it stands where a user does, as `request.user` too."""

    key: ApiKey

    pk = None
    is_active = True
    is_authenticated = True
    is_anonymous = False
    is_staff = False
    is_superuser = False

    def __str__(self) -> str:
        return self.get_username()

    def get_username(self) -> str:
        """How logs call it."""
        return f"API key {self.key}"

    def has_perm(self, permission: str, row: object = None) -> bool:
        """Whether there is any place where it holds."""
        return any(permission in each.permissions for each in self.accesses)

    @cached_property
    def accesses(self) -> list[Access]:
        return [Access(PERMISSIONS[Role.SUPPORT], self.key.community_id)]


def authenticate(token: str, address: str) -> KeyActor:
    """Who calls with this token from this IP address. Raises KeyRefused."""
    key = ApiKey.objects.find(token)
    if key is None:
        raise KeyRefused("invalid_key", "This API key does not exist, or is off.")
    return KeyActor(key)
