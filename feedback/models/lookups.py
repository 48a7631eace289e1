from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F

from ..access.actors import ScopedQuerySet, Tenancy
from ..access.privacy import NOTHING_PERSONAL
from .communities import Community, Project
from .folded import unique_name
from .owned import Owned
from .types import FeedbackType

MISSES_AN_HOUR = 300
# A community's callers are counted apart up to so many an hour, and together then.
MAX_CALLERS = 1_000
OTHERS = "others"


class LookupKind(models.TextChoices):
    """What is looked up: the value names a model."""

    FEEDBACK = "feedback", "Ticket"
    TESTER = "tester", "Tester"
    PROJECT = "project", "Project"


class FoundBy(models.TextChoices):
    """What a caller gives; the parameter of the URL has this name."""

    ID = "id", "ID in CenterHook"
    REFERENCE = "reference", "Reference, such as BUG-12"
    EMAIL = "email", "E-mail address"
    NAME = "name", "Name"
    EXTERNAL = "external", "External data"


WAYS: dict[str, tuple[FoundBy, ...]] = {
    LookupKind.FEEDBACK: (FoundBy.ID, FoundBy.REFERENCE, FoundBy.EXTERNAL),
    LookupKind.TESTER: (FoundBy.ID, FoundBy.EMAIL, FoundBy.EXTERNAL),
    LookupKind.PROJECT: (FoundBy.ID, FoundBy.NAME),
}


class RecordLookup(Owned, models.Model):
    """An address at which other programs read one record: chosen fields of it.

    Of a feedback type it finds its tickets; of a project its tickets, or the testers
    who submitted in it; of a community its tickets, testers or projects. `columns` are
    pairs of name and type, in order.
    """

    community = models.ForeignKey(
        Community, models.CASCADE, related_name="lookups", editable=False
    )
    project = models.ForeignKey(
        Project, models.CASCADE, related_name="lookups", null=True, editable=False
    )
    feedback_type = models.ForeignKey(
        FeedbackType,
        models.CASCADE,
        related_name="lookups",
        null=True,
        blank=True,
        editable=False,
    )
    subject_kind = models.CharField(
        "looks up", max_length=10, choices=LookupKind, editable=False
    )
    name = models.CharField(max_length=100)
    key = models.CharField(
        max_length=60,
        validators=[
            RegexValidator(
                r"^[a-z0-9]+(-[a-z0-9]+)*\Z",
                "Use small letters, digits and hyphens, such as bug-status.",
            )
        ],
        help_text="What the lookup is called in its URL, such as bug-status. It is no"
        " secret: whoever looks something up needs an API key.",
    )
    description = models.TextField(blank=True)
    is_active = models.BooleanField("on", default=True)
    found_by = models.CharField("finds it by", max_length=10, choices=FoundBy)
    external_name = models.CharField(
        "name of the external data",
        max_length=100,
        blank=True,
        help_text="Such as jira_key, where it is found by external data.",
    )
    columns = models.JSONField("fields", default=list)
    created_at = models.DateTimeField("created", auto_now_add=True)
    modified_at = models.DateTimeField("modified", auto_now=True)

    # Raises ValidationError. What checks it stands above the models, and is put here
    # when the app is ready.
    check_names: ClassVar[Callable[[RecordLookup], None]]

    tenancy = Tenancy("community", "project")
    privacy = NOTHING_PERSONAL
    objects = ScopedQuerySet["RecordLookup"].as_manager()

    class Meta:
        ordering = ["name"]
        permissions = [("call_recordlookup", "Can look up records")]
        constraints = [
            models.UniqueConstraint(
                fields=["community", "key"],
                name="lookup_key_in_community",
                violation_error_message="The community has a lookup of this key.",
            ),
            unique_name(
                "community",
                name="lookup_name_in_community",
                message="The community has a record lookup of this name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.find_owners()
        super().save(*args, **kwargs)

    def clean(self) -> None:
        self.find_owners()
        if self.community_id is None:
            raise ValidationError("Say whose records it looks up.")
        if self.feedback_type_id and self.subject_kind != LookupKind.FEEDBACK:
            raise ValidationError("In a feedback type its tickets are looked up.")
        if self.found_by and self.found_by not in WAYS.get(self.subject_kind, ()):
            noun = LookupKind(self.subject_kind).label.lower()
            raise ValidationError({"found_by": f"No {noun} is found by that."})
        if self.subject_kind == LookupKind.PROJECT and self.project_id is not None:
            raise ValidationError("Projects are looked up in a whole community.")
        if self.found_by != FoundBy.EXTERNAL:
            self.external_name = ""
        RecordLookup.check_names(self)

    @property
    def parameter(self) -> str:
        """The name under which a caller gives the value."""
        is_external = self.found_by == FoundBy.EXTERNAL
        return f"external_{self.external_name}" if is_external else self.found_by

    @property
    def selects(self) -> str:
        """Its records in words, for a list or a sentence."""
        noun = LookupKind(self.subject_kind).label.lower()
        return f"{noun}s of {self.owner}"


class LookupMissQuerySet(ScopedQuerySet["LookupMiss"]):
    def misses_of(self, community: Community, caller: str, now: datetime) -> int:
        """How often this hour; those beyond MAX_CALLERS have one count together."""
        rows = self._in_hour(community, now)
        counts = dict(
            rows.filter(caller__in=[caller, OTHERS]).values_list("caller", "count")
        )
        if caller in counts or OTHERS not in counts:
            return counts.get(caller, 0)
        return counts[OTHERS]

    def note(self, community: Community, caller: str, now: datetime) -> None:
        """One statement, but for the first of a caller in the hour."""
        rows = self._in_hour(community, now)
        if rows.filter(caller=caller).update(count=F("count") + 1):
            return
        if rows.count() >= MAX_CALLERS:
            caller = OTHERS
        self.filter(community=community, hour__lt=_hour(now)).delete()
        row = LookupMiss(community=community, caller=caller, hour=_hour(now))
        # Another process may have made it since; both then add to the same one.
        self.bulk_create([row], ignore_conflicts=True)
        rows.filter(caller=caller).update(count=F("count") + 1)

    def _in_hour(self, community: Community, now: datetime) -> LookupMissQuerySet:
        return self.filter(community=community, hour=_hour(now))


class LookupMiss(models.Model):
    """How often a caller looked for what there is not, in the present hour.

    A caller is an API key or a user, at an address.
    """

    community = models.ForeignKey(
        Community, models.CASCADE, related_name="lookup_misses"
    )
    caller = models.CharField(max_length=80)
    hour = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)

    tenancy = Tenancy("community")
    privacy = NOTHING_PERSONAL
    objects = LookupMissQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "lookup misses"
        constraints = [
            models.UniqueConstraint(
                fields=["community", "hour", "caller"], name="lookup_miss_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.count} misses of {self.caller}"


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)
