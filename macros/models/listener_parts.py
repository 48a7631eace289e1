"""What a listener has several of: ways to show who calls, and actions."""

from __future__ import annotations

from django.db import models

from feedback.access.actors import ScopedQuerySet, Tenancy
from feedback.access.privacy import NOTHING_PERSONAL
from feedback.models import ApiKey

from .listeners import Listener
from .macros import Macro
from .secrets import Secret


class Scheme(models.TextChoices):
    """How a caller shows who it is; `macros.listeners.verification` has each."""

    API_KEY = "api_key", "API key"
    STANDARD = "standard_webhooks", "Standard Webhooks"
    GITHUB = "github", "GitHub signature"
    GITLAB = "gitlab", "GitLab token"
    SLACK = "slack", "Slack signature"
    ATLASSIAN = "atlassian", "Jira and Atlassian signature"
    STRIPE = "stripe", "Stripe signature"
    HMAC = "hmac", "Any other HMAC signature"


class ListenerCheck(models.Model):
    """One way to show who calls. A call has to pass one of those that a listener has.

    While a secret is being changed there is a check with each of the two.
    """

    listener = models.ForeignKey(Listener, models.CASCADE, related_name="checks")
    scheme = models.CharField(max_length=20, choices=Scheme)
    secret = models.ForeignKey(
        Secret,
        models.RESTRICT,
        related_name="listener_checks",
        null=True,
        blank=True,
        help_text="What the sender signs with.",
    )
    api_key = models.ForeignKey(
        ApiKey,
        models.RESTRICT,
        related_name="listener_checks",
        null=True,
        blank=True,
        verbose_name="API key",
        help_text="Leave it empty for any key of the community with the scope"
        " listener.",
    )
    # For an HMAC signature; empty where the scheme says it itself.
    header = models.CharField(max_length=100, blank=True)
    algorithm = models.CharField(
        max_length=10,
        blank=True,
        choices=[(each, each.upper()) for each in ("sha256", "sha512", "sha1")],
    )
    encoding = models.CharField(
        max_length=10,
        blank=True,
        choices=[("hex", "Hexadecimal"), ("base64", "Base64")],
    )
    prefix = models.CharField(
        max_length=50,
        blank=True,
        help_text="Before the signature: <code>sha256=</code>",
    )

    tenancy = Tenancy("listener__community", "listener__project")
    privacy = NOTHING_PERSONAL
    objects = ScopedQuerySet["ListenerCheck"].as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name = "way to show who calls"
        verbose_name_plural = "ways to show who calls"

    def __str__(self) -> str:
        return self.get_scheme_display()


class ActionKind(models.TextChoices):
    RUN = "run", "Run a macro"
    COMMENT = "comment", "Add a comment"
    STATUS = "status", "Set the status"
    FIELD = "field", "Set an answer on the form"
    VISIBILITY = "visibility", "Set the visibility"
    SCORE = "score", "Add to the score"
    EXTERNAL = "external", "Store external data"
    CREATE = "create", "Create it if none is found"


class ListenerAction(models.Model):
    """One of the things that a listener does, in their order."""

    listener = models.ForeignKey(Listener, models.CASCADE, related_name="actions")
    position = models.PositiveIntegerField(default=0)
    kind = models.CharField(max_length=10, choices=ActionKind)
    macro = models.ForeignKey(
        Macro, models.SET_NULL, related_name="listener_actions", null=True, blank=True
    )
    # Which answer or external value is set.
    name = models.CharField(max_length=100, blank=True)
    value = models.TextField(
        blank=True,
        max_length=10_000,
        help_text="With dynamic tags, such as <code>((Payload: $.issue.key))</code>."
        " Of a new ticket or tester: one per line, <code>title: ...</code>.",
    )
    value_map = models.TextField(
        blank=True,
        help_text="One per line: <code>Done -> Closed</code>. <code>* -> Open</code>"
        " is for all others; without it they change nothing.",
    )

    tenancy = Tenancy("listener__community", "listener__project")
    privacy = NOTHING_PERSONAL
    objects = ScopedQuerySet["ListenerAction"].as_manager()

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = "action"

    def __str__(self) -> str:
        return self.get_kind_display()
