from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from ..access.actors import ScopedQuerySet, Tenancy
from ..access.addresses import parse_address, parse_networks
from ..access.privacy import NOTHING_PERSONAL
from .communities import Community, Project
from .emails import split_emails, validate_emails
from .folded import unique_name
from .saved_in_part import SavedInPart

MAX_TOKEN = 120
NOTICE_EVERY = timedelta(days=1)


class KeyScope(models.TextChoices):
    """What a key is for; each has a field `scope_...`."""

    READ = "read", "read"
    WRITE = "write", "write"
    RUN = "run", "run macros"
    LISTENER = "listener", "listener"
    DATA = "data", "data"
    SECRETS = "secrets", "secrets"
    MANAGE = "manage", "manage"


class KeyState(models.TextChoices):
    VALID = "valid", "Valid"
    OFF = "off", "Off"
    EXPIRED = "expired", "Expired"


class KeyOutcome(models.TextChoices):
    """What became of a call; a refusal's value is the code that programs get."""

    ACCEPTED = "accepted", "Accepted"
    PREVIOUS_TOKEN = "previous_token", "Accepted with the previous token"
    INVALID_KEY = "invalid_key", "Refused: wrong token"
    TOKEN_REPLACED = "token_replaced", "Refused: an old token"
    KEY_DISABLED = "key_disabled", "Refused: the key is off"
    KEY_EXPIRED = "key_expired", "Refused: the key has expired"
    ADDRESS_NOT_ALLOWED = "address_not_allowed", "Refused: address not allowed"
    MISSING_SCOPE = "missing_scope", "Refused: missing scope"


ACCEPTED = (KeyOutcome.ACCEPTED, KeyOutcome.PREVIOUS_TOKEN)


class ApiKeyQuerySet(ScopedQuerySet["ApiKey"]):
    def named_by(self, token: str) -> ApiKey | None:
        """The key whose prefix the token begins with; the secret is not looked at."""
        if not (token.isascii() and token.isprintable() and len(token) < MAX_TOKEN):
            return None  # NUL and broken characters, which no database looks up
        return self.filter(prefix=token.rpartition("_")[0]).first()

    def valid(self) -> ApiKeyQuerySet:
        """Those that open: on, and not expired."""
        lasting = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
        return self.filter(lasting, is_enabled=True)

    def take_notice(self, key: ApiKey, now: datetime) -> bool:
        """True for one caller a day, who then tells people that the key is used."""
        if not key.notify_emails or not key.is_notice_due(now):
            return False
        due = Q(notified_at=None) | Q(notified_at__lte=now - NOTICE_EVERY)
        return bool(self.filter(due, pk=key.pk).update(notified_at=now))


class ApiKey(SavedInPart):
    """A community's key for outside programs.

    A token is `ch_<word>_<number>_<secret>`. What stands before the secret is the
    prefix, which people may see and which stays the key's own; of the whole only a
    SHA-256 hash is kept. The secret has 256 random bits, so a slow password hash would
    add nothing.
    """

    community = models.ForeignKey(Community, models.CASCADE, related_name="api_keys")
    project = models.ForeignKey(
        Project,
        models.CASCADE,  # Without its limit the key would open more.
        related_name="api_keys",
        null=True,
        blank=True,
        verbose_name="only in project",
        help_text="Leave it empty for all projects of the community.",
    )
    name = models.CharField(max_length=100, help_text="Who or what uses it.")
    description = models.TextField(blank=True)
    prefix = models.CharField(max_length=32, unique=True, editable=False)
    token_hash = models.CharField(max_length=64, editable=False)
    token_issued_at = models.DateTimeField("token made", editable=False)
    previous_token_hash = models.CharField(max_length=64, blank=True, editable=False)
    previous_token_until = models.DateTimeField(
        "previous token works until", null=True, editable=False
    )
    is_enabled = models.BooleanField("enabled", default=True)
    expires_at = models.DateTimeField(
        "expires",
        null=True,
        blank=True,
        help_text="Leave it empty for a key that never expires.",
    )
    allowed_ips = models.TextField(
        "allowed addresses",
        blank=True,
        help_text="IP addresses and networks, one per line: 203.0.113.7, 10.1.0.0/16,"
        " 2001:db8::/32. Any other is refused. Leave it empty to"
        " allow every address.",
    )
    scope_read = models.BooleanField(
        "read",
        default=True,
        help_text="See tickets, testers, macros, runs and the webhook log.",
    )
    scope_write = models.BooleanField(
        "write",
        default=False,
        help_text="Add and change tickets, comments, testers and filters.",
    )
    scope_run = models.BooleanField(
        "run macros", default=False, help_text="Start runs, control them and resend."
    )
    scope_listener = models.BooleanField(
        "listener",
        default=False,
        help_text="Call external listeners and sources.",
    )
    scope_data = models.BooleanField(
        "data",
        default=False,
        help_text="Read data packages, look up records, export all that is stored of"
        " a tester.",
    )
    scope_secrets = models.BooleanField(
        "secrets",
        default=False,
        help_text="Add, change and delete secrets. Nobody can read their values.",
    )
    scope_manage = models.BooleanField(
        "manage",
        default=False,
        help_text="Add, change and delete projects, feedback types, macros, triggers,"
        " schedules, listeners, sources and data packages; delete tickets; read"
        " templates, members and the audit log. As much as a Project Manager may do.",
    )
    notify_emails = models.CharField(
        "e-mail when used",
        max_length=500,
        blank=True,
        validators=[validate_emails],
        help_text="Who is notified when the key is first used, and then at most once a"
        " day; addresses separated by commas. Leave it empty to notify nobody.",
    )
    notified_at = models.DateTimeField(null=True, editable=False)
    last_used_at = models.DateTimeField("last used", null=True, editable=False)
    last_used_address = models.CharField(
        "last used from", max_length=45, blank=True, editable=False
    )
    use_count = models.PositiveBigIntegerField("uses", default=0, editable=False)
    created_at = models.DateTimeField("created", auto_now_add=True)

    TOKEN_FIELDS = (
        "token_hash",
        "token_issued_at",
        "previous_token_hash",
        "previous_token_until",
    )
    NEVER_SAVED = (
        *TOKEN_FIELDS,
        *("notified_at", "last_used_at", "last_used_address", "use_count"),
    )

    tenancy = Tenancy("community")
    privacy = NOTHING_PERSONAL
    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = "API key"
        constraints = [
            unique_name(
                "community",
                name="api_key_name_in_community",
                message="The community has an API key of this name.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}...)"

    def clean(self) -> None:
        errors = {}
        if self.project and self.project.community_id != self.community_id:
            errors["project"] = "The project is of another community."
        try:
            parse_networks(self.allowed_ips)
        except ValueError as error:
            errors["allowed_ips"] = str(error)
        if errors:
            raise ValidationError(errors)

    @property
    def notify_addresses(self) -> list[str]:
        return split_emails(self.notify_emails)

    @property
    def state(self) -> KeyState:
        if not self.is_enabled:
            return KeyState.OFF
        return KeyState.EXPIRED if self._is_expired(timezone.now()) else KeyState.VALID

    def _is_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def previous_token_works(self, now: datetime | None = None) -> bool:
        until = self.previous_token_until
        return until is not None and (now or timezone.now()) < until

    def is_notice_due(self, now: datetime) -> bool:
        return self.notified_at is None or self.notified_at <= now - NOTICE_EVERY

    def has_scope(self, scope: str) -> bool:
        return bool(getattr(self, f"scope_{KeyScope(scope)}"))

    def allows(self, address: str) -> bool:
        networks = parse_networks(self.allowed_ips)
        caller = parse_address(address)
        return not networks or (
            caller is not None and any(caller in network for network in networks)
        )

    def issue_token(self, word: str = "") -> str:
        """Give a new key its token and return it; it can't be read again later."""
        self.prefix = "_".join(filter(None, ["ch", word, secrets.token_hex(4)]))
        return self._new_token(timezone.now())

    def rotate(self, overlap: timedelta) -> str:
        """Give the key another token; the present one works on for the overlap."""
        now = timezone.now()
        self.previous_token_hash = self.token_hash
        self.previous_token_until = now + overlap
        return self._new_token(now)

    def _new_token(self, now: datetime) -> str:
        token = f"{self.prefix}_{secrets.token_hex(32)}"
        self.token_hash = _hash(token)
        self.token_issued_at = now
        return token

    def authenticate(self, token: str, address: str, now: datetime) -> KeyOutcome:
        """What becomes of a call: without a right token nothing of the key shows."""
        digest = _hash(token)
        is_current = secrets.compare_digest(self.token_hash, digest)
        is_previous = secrets.compare_digest(self.previous_token_hash, digest)
        if not (is_current or is_previous):
            return KeyOutcome.INVALID_KEY
        if not self.allows(address):
            return KeyOutcome.ADDRESS_NOT_ALLOWED
        if not self.is_enabled:
            return KeyOutcome.KEY_DISABLED
        if self._is_expired(now):
            return KeyOutcome.KEY_EXPIRED
        if is_current:
            return KeyOutcome.ACCEPTED
        works = self.previous_token_works(now)
        return KeyOutcome.PREVIOUS_TOKEN if works else KeyOutcome.TOKEN_REPLACED

    def note_use(self, address: str, now: datetime, count: int = 1) -> None:
        ApiKey.objects.filter(pk=self.pk).update(
            use_count=F("use_count") + count,
            last_used_at=now,
            last_used_address=address,
        )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
