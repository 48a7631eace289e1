from django.db import models

from ..access import ScopedQuerySet


class Community(models.Model):
    """The tenant: it owns projects, testers, API keys and destinations."""

    name = models.CharField(max_length=100, unique=True)
    created_at = models.DateTimeField("created", auto_now_add=True)

    objects = ScopedQuerySet["Community"].as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "communities"

    def __str__(self) -> str:
        return self.name


class Project(models.Model):
    """A test or program in a community."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="projects")
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    created_at = models.DateTimeField("created", auto_now_add=True)

    objects = ScopedQuerySet["Project"].as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["community", "name"],
                name="project_name_in_community",
                violation_error_message="The community has a project of this name.",
            )
        ]

    def __str__(self) -> str:
        return self.name
