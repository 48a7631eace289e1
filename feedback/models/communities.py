from django.db import models

from ..access.actors import ScopedQuerySet, Tenancy
from ..access.privacy import NOTHING_PERSONAL
from .deleting import DeletedInSteps
from .emails import split_emails, validate_emails
from .folded import unique_name
from .zones import validate_time_zone


def listed(names: str) -> list[str]:
    """Those that are separated by commas."""
    parts = (name.strip() for name in names.split(","))
    return [name for name in parts if name]


class Community(DeletedInSteps):
    """The tenant: it owns projects, testers, API keys and destinations."""

    name = models.CharField(max_length=100)
    alert_emails = models.CharField(
        max_length=500,
        blank=True,
        validators=[validate_emails],
        help_text="Who is notified when a destination keeps failing, and when it is"
        " back; addresses separated by commas.",
    )
    tester_columns = models.CharField(
        "columns of testers",
        max_length=200,
        blank=True,
        help_text="Names of external data to show in the list of testers, separated by"
        " commas.",
    )
    created_at = models.DateTimeField("created", auto_now_add=True)

    tenancy = Tenancy("pk", "projects", is_many=True)
    privacy = NOTHING_PERSONAL
    objects = ScopedQuerySet["Community"].as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "communities"
        constraints = [
            unique_name(
                name="community_name", message="There is a community of this name."
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def alert_addresses(self) -> list[str]:
        return split_emails(self.alert_emails)

    @property
    def tester_column_names(self) -> list[str]:
        return listed(self.tester_columns)

    def is_unlocked(self) -> bool:
        """Whether its integrations may work: it has a valid API key."""
        return self.api_keys.valid().exists()


class Project(DeletedInSteps):
    """A test or program in a community."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="projects")
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    is_template = models.BooleanField(
        "template", default=False, help_text="Made to be cloned into new projects."
    )
    time_zone = models.CharField(
        max_length=50,
        default="UTC",
        validators=[validate_time_zone],
        help_text="Where the days of its filters begin, such as Europe/Berlin.",
    )
    created_at = models.DateTimeField("created", auto_now_add=True)

    tenancy = Tenancy("community", "pk")
    privacy = NOTHING_PERSONAL
    objects = ScopedQuerySet["Project"].as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            unique_name(
                "community",
                name="project_name_in_community",
                message="The community has a project of this name.",
            )
        ]

    def __str__(self) -> str:
        return self.name
