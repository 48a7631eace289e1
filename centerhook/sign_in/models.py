from __future__ import annotations

from django.conf import settings
from django.db import models


class Identity(models.Model):
    """Who somebody is at the provider, and the account here that is theirs.

    OpenID Connect Core, 5.7: only issuer and subject together name a person for good;
    an e-mail address changes, and may be given to somebody else.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="identities"
    )
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    linked_at = models.DateTimeField("linked", auto_now_add=True)

    class Meta:
        verbose_name = "single sign-on identity"
        verbose_name_plural = "single sign-on identities"
        constraints = [
            models.UniqueConstraint(
                fields=["issuer", "subject"], name="identity_of_one_account"
            ),
            models.UniqueConstraint(
                fields=["issuer", "user"], name="identity_at_provider_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} at {self.issuer}"
