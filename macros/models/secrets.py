from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from feedback.access.actors import ScopedQuerySet, Tenancy
from feedback.access.privacy import NOTHING_PERSONAL
from feedback.models import Community, Project
from logs.redaction import SECRET_TAG, Echoes, echoes

from .. import crypto
from ..http import TransportError, origin_of
from ..tags import Template, normalise

# A shorter value could not be masked without blotting out ordinary words.
MIN_VALUE = 6
MAX_VALUE = 20_000

_NAME = re.compile(r"[\w .-]+").fullmatch
_HOST = re.compile(r"[\w.-]+(:\d{1,5})?|\[[0-9a-fA-F:]+\](:\d{1,5})?").fullmatch
_PORT = re.compile(r"(?<=[^:]):\d+\Z").search


@dataclass(frozen=True)
class Vault:
    """The secrets that a plan uses, decrypted; all by normalised name.

    `problems` are sentences on those that can't be used, `hosts` where the bound ones
    may go, `echoes` every form in which a value may turn up in a response.
    """

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    hosts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    echoes: Echoes = field(default_factory=Echoes, repr=False)

    def problem(self, name: str) -> str:
        """Why the secret can't be used, or an empty string."""
        if name in self.values:
            return ""
        return self.problems.get(name) or f"The secret {name} does not exist any more."

    def refusal(self, name: str, url: str) -> str:
        """Why the secret must not go to this URL, or an empty string."""
        bound = self.hosts.get(name)
        if not bound or not bound.isdisjoint(_hosts_of(url)):
            return ""
        return f"The secret {name} may not be sent to this host. It is bound to others."

    def watching(self, templates: Iterable[Template]) -> Vault:
        """The same, with `echoes` of all that these templates hold and send."""
        typed: set[str] = set()
        sent: set[str] = set()
        for template in templates:
            typed |= template.typed
            sent.update(template.sent_secrets(self.values))
        if not typed and not sent:
            return self
        return replace(self, echoes=echoes([*self.values.values(), *typed], sent))

    def redact(self, text: str) -> str:
        return self.echoes.redact(text)


def _hosts_of(url: str) -> set[str]:
    """A URL's host as it may be listed, with its port and without.

    Read by the parser of the client that connects, so that no odd URL can name one
    host to this check and another to the network.
    """
    try:
        host = origin_of(url).partition("://")[2]
    except TransportError:
        return set()
    return {host, host.rpartition(":")[0]}


class SecretQuerySet(ScopedQuerySet["Secret"]):
    def usable_in(self, community: int, project: int | None) -> SecretQuerySet:
        """Those of the community and, where there is one, of its project."""
        owners = Q(project=None)
        if project is not None:
            owners |= Q(project=project)
        return self.filter(owners, community=community)

    def named(self, name: str) -> bool:
        """Whether one is there that templates would find by this name."""
        return self.filter(key=normalise(name)).exists()

    def keys_in(self, community: int, project: int | None) -> list[str]:
        usable = self.usable_in(community, project).order_by("key")
        return list(usable.values_list("key", flat=True).distinct())

    def open(self, community: int, project: int | None, names: Iterable[str]) -> Vault:
        """Decrypt the named ones. A project's own wins over the community's."""
        wanted = set(names)
        if not wanted:
            return Vault()
        rows = self.usable_in(community, project).filter(key__in=wanted)
        secrets = {row.key: row for row in rows if row.project_id is None}
        secrets |= {row.key: row for row in rows if row.project_id is not None}
        values: dict[str, str] = {}
        problems: dict[str, str] = {}
        for key, secret in secrets.items():
            try:
                values[key] = secret.reveal()
            except crypto.Undecryptable:
                problems[key] = f"The secret {key} can't be decrypted: {_KEYS_CHANGED}"
        hosts = {key: row.host_set for key, row in secrets.items() if row.hosts}
        return Vault(values, hosts, problems, echoes(values.values()))


_KEYS_CHANGED = "none of SECRETS_KEYS fits. Enter its value again."


class Secret(models.Model):
    """A value that templates use by name and nobody can read back."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="secrets")
    project = models.ForeignKey(
        Project,
        models.CASCADE,
        related_name="secrets",
        null=True,
        blank=True,
        help_text="Leave it empty for all projects of the community. A project's own"
        " secret wins over the community's of the same name.",
    )
    name = models.CharField(
        max_length=100,
        help_text="Templates use it as <code>((Secret: name))</code>. Upper and lower"
        " case, spaces, hyphens and underscores make no difference.",
    )
    key = models.CharField(max_length=100, editable=False)
    encrypted_value = models.TextField(editable=False)
    hosts = models.TextField(
        "only for hosts",
        blank=True,
        help_text="One per line, such as <code>hooks.slack.com</code> or"
        " <code>jira.example.com:8443</code>. A request to any other host that uses"
        " the secret is not sent. Leave it empty for every host.",
    )
    description = models.TextField(blank=True)
    created_at = models.DateTimeField("created", auto_now_add=True)
    modified_at = models.DateTimeField("modified", auto_now=True)

    tenancy = Tenancy("community", "project")
    privacy = NOTHING_PERSONAL
    objects = SecretQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["community", "key"],
                condition=Q(project=None),
                name="secret_name_in_community",
                violation_error_message="The community has a secret of this name.",
            ),
            models.UniqueConstraint(
                fields=["project", "key"],
                name="secret_name_in_project",
                violation_error_message="The project has a secret of this name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.key = normalise(self.name)
        super().save(*args, **kwargs)

    def clean(self) -> None:
        self.name = self.name.strip()
        self.key = normalise(self.name)
        errors: dict[str, str] = {}
        if not self.key or not _NAME(self.name):
            errors["name"] = "Use letters, digits, spaces, dots, hyphens, underscores."
        if self.project and self.project.community_id != self.community_id:
            errors["project"] = "The project belongs to another community."
        try:
            self.hosts = "\n".join(parse_hosts(self.hosts))
        except ValueError as error:
            errors["hosts"] = str(error)
        if self.key and self._rivals().exists():
            # The constraints look only at what a form shows, and it hides the key.
            owner = "project" if self.project else "community"
            errors.setdefault("name", f"The {owner} has a secret of this name.")
        if errors:
            raise ValidationError(errors)

    def _rivals(self) -> models.QuerySet[Secret]:
        rows = Secret.objects.filter(community=self.community_id, key=self.key)
        return rows.filter(project=self.project_id).exclude(pk=self.pk)

    @property
    def host_set(self) -> frozenset[str]:
        return frozenset(self.hosts.split())

    def opens_beyond(self, before: str) -> bool:
        """Whether it may go to hosts that the ones before did not allow.

        Then its value must be given again: else whoever may edit it could have it sent
        to a host of their own.
        """
        was = set(parse_hosts(before))
        try:
            now = set(parse_hosts(self.hosts))
        except ValueError:
            return False  # `clean` says what is wrong with them.
        return bool(was) and (not now or not now <= was)

    def conceal(self, value: str) -> None:
        """Give the secret a value. It is not saved."""
        self.encrypted_value = crypto.encrypt(value)

    def reveal(self) -> str:
        """The value, to send and for nothing else. Raises crypto.Undecryptable."""
        return crypto.decrypt(self.encrypted_value)


def parse_hosts(text: str) -> list[str]:
    """Hosts as a URL's origin names them; ports stay where they are given.

    Raises ValueError with a sentence that counts to the one at fault and does not
    quote it: it may be a webhook's URL, pasted here by mistake.
    """
    entries = [host for host in re.split(r"[\s,]+", text) if host]
    hosts = (_host(host, number) for number, host in enumerate(entries, start=1))
    return list(dict.fromkeys(hosts))


def _host(text: str, number: int) -> str:
    try:
        if not _HOST(text):
            raise ValueError
        host = origin_of(f"https://{text}").removeprefix("https://")
    except (TransportError, ValueError):
        raise ValueError(
            f"Entry {number} is not a host such as hooks.slack.com; leave out https://"
            " and the path."
        ) from None
    return host if _PORT(text) else host.rpartition(":")[0]


def secrets_tagged_in(text: str) -> list[str]:
    """The normalised names in the tags of secrets, also where a template has faults."""
    return [normalise(match[1]) for match in SECRET_TAG.finditer(text)]
