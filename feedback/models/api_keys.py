from __future__ import annotations

import hashlib
import secrets

from django.db import models

from ..access import ScopedQuerySet, Tenancy
from .communities import Community


class ApiKeyQuerySet(ScopedQuerySet["ApiKey"]):
    def find(self, token: str) -> ApiKey | None:
        """The enabled key that this token opens, or None."""
        if not (token.isascii() and token.isprintable()):
            return None  # NUL and broken characters, which no database looks up
        prefix = token.rpartition("_")[0]
        key = self.filter(prefix=prefix, is_enabled=True).first()
        return key if key and key.opens_with(token) else None


class ApiKey(models.Model):
    """A community's key for outside programs.

    A token is `ch_<name>_<secret>`. What stands before the secret is the prefix,
    which people may see; of the whole only a SHA-256 hash is kept. The secret has
    256 random bits, so a slow password hash would add nothing.
    """

    community = models.ForeignKey(Community, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    prefix = models.CharField(max_length=20, unique=True, editable=False)
    token_hash = models.CharField(max_length=64, editable=False)
    is_enabled = models.BooleanField("enabled", default=True)
    created_at = models.DateTimeField("created", auto_now_add=True)

    tenancy = Tenancy("community")
    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}...)"

    def issue_token(self) -> str:
        """Give the key a new token and return it; it can't be read again later."""
        self.prefix = f"ch_{secrets.token_hex(4)}"
        token = f"{self.prefix}_{secrets.token_hex(32)}"
        self.token_hash = _hash(token)
        return token

    def opens_with(self, token: str) -> bool:
        return secrets.compare_digest(self.token_hash, _hash(token))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
