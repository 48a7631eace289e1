"""Data packages: tickets, testers or deliveries as tables for other programs."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.files.storage import Storage, storages
from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone

from ..access.actors import ScopedQuerySet, Tenancy
from ..access.privacy import NOTHING_PERSONAL
from ..formats import PACKAGE_FILE
from .communities import Community, Project
from .filters import Filter
from .folded import unique_name
from .owned import Owned
from .subject_kinds import SubjectKind
from .types import FeedbackType

_DAY = 24 * 60


class PackageRows(models.TextChoices):
    """What a package has a row for."""

    TICKETS = "tickets", "Tickets"
    TESTERS = "testers", "Testers"
    DELIVERIES = "deliveries", "Deliveries"


class PackageFormat(models.TextChoices):
    """The value is the end of the package's address."""

    CSV = "csv", "CSV"
    JSON = "json", "JSON"
    NDJSON = "ndjson", "NDJSON"
    PARQUET = "parquet", "Parquet"


class RefreshEvery(models.IntegerChoices):
    """In minutes."""

    LIVE = 0, "Live: read from the database at each call"
    QUARTER = 15, "Stored, made anew every 15 minutes"
    HOUR = 60, "Stored, made anew every hour"
    SIX_HOURS = 6 * 60, "Stored, made anew every 6 hours"
    DAY = _DAY, "Stored, made anew every day"


class DataPackage(Owned, models.Model):
    """A table of a feedback type, a project or a community.

    `columns` are pairs of name and type, in order. Both stay as they were chosen,
    whatever becomes of the questions: what they mean says `feedback.packages.columns`.
    """

    community = models.ForeignKey(
        Community, models.CASCADE, related_name="packages", editable=False
    )
    project = models.ForeignKey(
        Project, models.CASCADE, related_name="packages", null=True, editable=False
    )
    feedback_type = models.ForeignKey(
        FeedbackType, models.CASCADE, related_name="packages", null=True, blank=True
    )
    what = models.CharField(
        "rows", max_length=10, choices=PackageRows, default=PackageRows.TICKETS
    )
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    is_active = models.BooleanField("on", default=True)
    key = models.CharField(
        max_length=60,
        validators=[
            RegexValidator(
                r"^[a-z0-9]+(-[a-z0-9]+)*\Z",
                "Use small letters, digits and hyphens, such as open-bugs.",
            )
        ],
        help_text="What the package is called in its URL, such as open-bugs. It is no"
        " secret: whoever reads the package needs an API key.",
    )
    columns = models.JSONField(default=list)
    # Gone with the filter, a package would suddenly hold every row.
    filter = models.ForeignKey(
        Filter,
        models.RESTRICT,
        related_name="packages",
        null=True,
        blank=True,
        help_text="Leave it empty for all rows.",
    )
    refresh_every = models.PositiveIntegerField(
        "data", choices=RefreshEvery, default=RefreshEvery.LIVE
    )
    format = models.CharField(
        max_length=7,
        choices=PackageFormat,
        default=PackageFormat.CSV,
        help_text="A stored package has this one. Live data comes as CSV, JSON or"
        " NDJSON, as the end of the URL says.",
    )
    guards_formulas = models.BooleanField(
        "guard spreadsheets",
        default=True,
        help_text="In CSV an apostrophe stands before each text that a spreadsheet"
        " would calculate, such as =1+1. Switch it off where no spreadsheet opens it.",
    )
    created_at = models.DateTimeField("created", auto_now_add=True)
    modified_at = models.DateTimeField("modified", auto_now=True)

    # Raises ValidationError. What checks it stands above the models, and is put here
    # when the app is ready.
    check_columns: ClassVar[Callable[[DataPackage], None]]

    tenancy = Tenancy("community", "project")
    privacy = NOTHING_PERSONAL
    objects = ScopedQuerySet["DataPackage"].as_manager()

    class Meta:
        ordering = ["name"]
        permissions = [("read_datapackage", "Can read the rows of data packages")]
        constraints = [
            models.UniqueConstraint(
                fields=["community", "key"],
                name="package_key_in_community",
                violation_error_message="The community has a package of this key.",
            ),
            unique_name(
                "community",
                name="package_name_in_community",
                message="The community has a package of this name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.find_owners()
        super().save(*args, **kwargs)

    @property
    def subject_kind(self) -> SubjectKind:
        """Whose filters it may have."""
        is_of_testers = self.what == PackageRows.TESTERS
        return SubjectKind.TESTER if is_of_testers else SubjectKind.FEEDBACK

    @property
    def is_being_deleted(self) -> bool:
        """With what it belongs to, in steps."""
        owners = (self.feedback_type, self.project, self.community)
        return any(each.deleting_since for each in owners if each is not None)

    @property
    def is_live(self) -> bool:
        return self.refresh_every == RefreshEvery.LIVE

    @property
    def recipe(self) -> str:
        """A hash of all that says what its file holds."""
        saved = self.filter
        parts = [
            *(self.what, self.format, self.guards_formulas, self.columns),
            saved and [saved.pk, saved.conditions],
        ]
        plain = json.dumps(parts, sort_keys=True, cls=DjangoJSONEncoder)
        return hashlib.sha256(f"{PACKAGE_FILE} {plain}".encode()).hexdigest()

    @property
    def interval(self) -> timedelta:
        return timedelta(minutes=self.refresh_every)

    @property
    def formats(self) -> list[str]:
        """Those in which it can be read now."""
        if self.is_live:
            return [each for each in PackageFormat if each != PackageFormat.PARQUET]
        return [self.format]

    def clean(self) -> None:
        self.find_owners()
        errors = {}
        if self.is_live and self.format == PackageFormat.PARQUET:
            errors["format"] = "Parquet is stored: choose how often it is made anew."
        if problem := self._problem_of_filter():
            errors["filter"] = problem
        if errors:
            raise ValidationError(errors)
        DataPackage.check_columns(self)

    def _problem_of_filter(self) -> str:
        if self.filter is None:
            return ""
        if self.what == PackageRows.DELIVERIES:
            return "Filters select tickets and testers. Deliveries come without one."
        if self.filter.subject_kind != self.subject_kind:
            return f"This filter selects {self.filter.selects}."
        owners = (self.feedback_type, self.project, self.community)
        if self.filter.owner not in owners:
            return f"This filter is of {self.filter.owner}."
        return ""


def storage() -> Storage:
    """Outside of every folder that a web server gives out."""
    return storages["packages"]


def stored_name(instance: Snapshot, filename: str) -> str:
    return f"{timezone.now():%Y/%m/%d}/{uuid.uuid4().hex}"


class SnapshotState(models.TextChoices):
    WAITING = "waiting", "Waiting for a worker"
    MAKING = "making", "Being made"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"


UNFINISHED = (SnapshotState.WAITING, SnapshotState.MAKING)


class Snapshot(models.Model):
    """A package as it was made once; the bytes of one that is ready never change."""

    package = models.ForeignKey(DataPackage, models.CASCADE, related_name="snapshots")
    state = models.CharField(
        max_length=7, choices=SnapshotState, default=SnapshotState.WAITING
    )
    # Until then nobody is notified of it again; a worker that has not finished by then
    # is taken for dead.
    deadline = models.DateTimeField(null=True, editable=False)
    # Why it failed.
    problem = models.TextField(blank=True)
    file = models.FileField(
        storage=storage, upload_to=stored_name, max_length=200, blank=True
    )
    format = models.CharField(max_length=7, choices=PackageFormat)
    format_version = models.PositiveSmallIntegerField(default=PACKAGE_FILE)
    # What the package was like: of another one, the snapshot is not given out.
    recipe = models.CharField(max_length=64, blank=True, editable=False)
    rows = models.PositiveBigIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True)
    created_at = models.DateTimeField("asked for", auto_now_add=True)
    # What it says is as of this moment.
    read_at = models.DateTimeField("data of", null=True)
    finished_at = models.DateTimeField("finished", null=True)

    READ_TO_DELETE = ("file",)

    tenancy = Tenancy("package__community", "package__project")
    # Whom a file speaks of, its rows can't say: an erasure removes the snapshots of
    # the whole community.
    privacy = NOTHING_PERSONAL
    objects = ScopedQuerySet["Snapshot"].as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["package"],
                condition=models.Q(state__in=["waiting", "making"]),
                name="snapshot_one_unfinished",
            )
        ]

    def __str__(self) -> str:
        return f"Snapshot {self.pk} of {self.package}"


@receiver(post_delete, sender=Snapshot, dispatch_uid="snapshot file")
def _delete_file(instance: Snapshot, **signal: Any) -> None:
    """A file that the store keeps nevertheless is an orphan, and is pruned."""
    if name := instance.file.name:
        remove = partial(instance.file.storage.delete, name)
        transaction.on_commit(remove, robust=True)
