from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.text import slugify

from ..access.actors import ScopedQuerySet, Tenancy
from ..access.privacy import NOTHING_PERSONAL
from ..names import first_twin
from .communities import Project, listed
from .deleting import DeletedInSteps
from .folded import unique_name


class FeedbackType(DeletedInSteps):
    """A kind of ticket in a project, with its own statuses and form."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="feedback_types")
    name = models.CharField(max_length=100)
    prefix = models.CharField(
        max_length=10,
        validators=[
            RegexValidator(
                r"^[A-Z][A-Z0-9]*\Z", "Use capital letters and digits, such as BUG."
            )
        ],
        help_text="Ticket numbers begin with it: BUG makes BUG-1, BUG-2 ...",
    )
    external_columns = models.CharField(
        max_length=200,
        blank=True,
        help_text="Names of external data to show in the list, separated by commas.",
    )
    last_number = models.PositiveIntegerField(default=0, editable=False)

    # Only `reserve_numbers` moves the counter.
    NEVER_SAVED = ("deleting_since", "last_number")

    tenancy = Tenancy("project__community", "project")
    privacy = NOTHING_PERSONAL
    objects = ScopedQuerySet["FeedbackType"].as_manager()

    class Meta:
        ordering = ["project", "name"]
        constraints = [
            unique_name(
                "project",
                name="type_name_in_project",
                message="The project has a type of this name.",
            ),
            models.UniqueConstraint(
                fields=["project", "prefix"],
                name="type_prefix_in_project",
                violation_error_message="The project has a type of this prefix.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project.name}: {self.name}"

    def reserve_numbers(self, count: int) -> range:
        """The next `count` ticket numbers; call inside a transaction.

        The row stays locked until the transaction ends, so that numbers are given
        out in order and one that is rolled back is given out again: no gaps.
        """
        rows = FeedbackType.objects.filter(pk=self.pk)
        rows.update(last_number=models.F("last_number") + count)
        last = rows.values_list("last_number", flat=True).get()
        return range(last - count + 1, last + 1)

    @property
    def external_column_names(self) -> list[str]:
        return listed(self.external_columns)

    @property
    def is_being_deleted(self) -> bool:
        """With what it belongs to, in steps: nothing is added to that meanwhile."""
        owners = (self, self.project, self.project.community)
        return any(each.deleting_since for each in owners)

    def first_status(self) -> Status | None:
        return self.statuses.first()


class StatusColour(models.TextChoices):
    """Colours that are told from each other and read well, light and dark."""

    GREY = "grey", "Grey"
    BLUE = "blue", "Blue"
    TEAL = "teal", "Teal"
    GREEN = "green", "Green"
    AMBER = "amber", "Amber"
    ORANGE = "orange", "Orange"
    RED = "red", "Red"
    PINK = "pink", "Pink"
    VIOLET = "violet", "Violet"


class Status(models.Model):
    feedback_type = models.ForeignKey(
        FeedbackType, models.CASCADE, related_name="statuses"
    )
    name = models.CharField(max_length=50)
    is_open = models.BooleanField(
        "open", default=True, help_text="Tickets in this status still need work."
    )
    colour = models.CharField(
        max_length=10, choices=StatusColour, default=StatusColour.GREY
    )
    position = models.PositiveSmallIntegerField(default=0)

    tenancy = Tenancy("feedback_type__project__community", "feedback_type__project")
    privacy = NOTHING_PERSONAL
    objects = ScopedQuerySet["Status"].as_manager()

    class Meta:
        ordering = ["position", "pk"]
        verbose_name_plural = "statuses"
        constraints = [
            unique_name(
                "feedback_type",
                name="status_name_in_type",
                message="The type has a status of this name.",
            )
        ]

    def __str__(self) -> str:
        return self.name


# What a type that says nothing of its statuses has.
USUAL_STATUSES: tuple[dict[str, Any], ...] = (
    {"name": "New", "colour": StatusColour.BLUE, "is_open": True},
    {"name": "In progress", "colour": StatusColour.AMBER, "is_open": True},
    {"name": "Closed", "colour": StatusColour.GREEN, "is_open": False},
)


class FieldKind(models.TextChoices):
    TEXT = "text", "Text"
    LONG_TEXT = "long_text", "Long text"
    NUMBER = "number", "Number"
    CHOICE = "choice", "Choice"
    MULTIPLE_CHOICE = "multiple_choice", "Multiple choice"
    CHECKBOX = "checkbox", "Checkbox"
    DATE = "date", "Date"
    URL = "url", "URL"


CHOICE_KINDS = frozenset({FieldKind.CHOICE, FieldKind.MULTIPLE_CHOICE})


class FormField(models.Model):
    """A question on a type's form; answers are stored under its `key`."""

    feedback_type = models.ForeignKey(
        FeedbackType, models.CASCADE, related_name="form_fields"
    )
    label = models.CharField(max_length=100)
    key = models.CharField(
        max_length=60,
        blank=True,
        validators=[
            RegexValidator(
                r"^[a-z][a-z0-9]*(_[a-z0-9]+)*\Z",
                "Use small letters, digits and underscores, such as app_version.",
            )
        ],
        help_text="The name answers are stored under. Made from the label if empty.",
    )
    kind = models.CharField(max_length=20, choices=FieldKind, default=FieldKind.TEXT)
    required = models.BooleanField(default=False)
    choices = models.TextField(
        blank=True, help_text="One per line, for the kinds that offer a choice."
    )
    help_text = models.CharField("help", max_length=200, blank=True)
    position = models.PositiveSmallIntegerField("order", default=0)
    in_list = models.BooleanField(
        "show in list", default=False, help_text="A column in the list of tickets."
    )

    tenancy = Tenancy("feedback_type__project__community", "feedback_type__project")
    privacy = NOTHING_PERSONAL
    objects = ScopedQuerySet["FormField"].as_manager()

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["feedback_type", "key"],
                name="field_key_in_type",
                violation_error_message="The type has a field of this key.",
            ),
            unique_name(
                "feedback_type",
                of="label",
                name="field_label_in_type",
                message="The type has a field of this label.",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    def save(self, *args: object, **kwargs: object) -> None:
        self.key = self.key or key_from_label(self.label)
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def clean(self) -> None:
        self.key = self.key or key_from_label(self.label)
        if not self.key:
            raise ValidationError({"key": "Give a key: the label makes none."})
        if self.key in models.JSONField().get_lookups():
            raise ValidationError({"key": f"'{self.key}' is reserved. Choose another."})
        if self.kind in CHOICE_KINDS and not self.choice_list:
            raise ValidationError({"choices": "List at least one choice."})
        twin = first_twin(self.choice_list) if self.kind in CHOICE_KINDS else ""
        if twin:
            problem = f"'{twin}' is there twice, as people read it."
            raise ValidationError({"choices": problem})

    @property
    def choice_list(self) -> list[str]:
        lines = (line.strip() for line in self.choices.splitlines())
        return list(dict.fromkeys(line for line in lines if line))


def key_from_label(label: str) -> str:
    words = re.findall(r"[a-z0-9]+", slugify(label))
    return "_".join(words).lstrip("0123456789_")[:60].rstrip("_")
