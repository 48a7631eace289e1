from django.core.exceptions import ValidationError
from django.db import models

from ..access.actors import Tenancy
from ..access.privacy import ALL, Privacy
from ..units import Announced, AnnouncedQuerySet, AnnouncedRow
from .communities import Community
from .folded import unique_name
from .loading import QuickLoading
from .numbers import ExactDecoder, ExactEncoder

_TWIN = "The community has a tester of this e-mail."


class Tester(QuickLoading, AnnouncedRow):
    """A person in a community who submits feedback."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="testers")
    email = models.EmailField("e-mail")
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    phone = models.CharField(max_length=50, blank=True)
    company = models.CharField(max_length=100, blank=True)
    street1 = models.CharField("street", max_length=200, blank=True)
    street2 = models.CharField("street, line 2", max_length=200, blank=True)
    city = models.CharField(max_length=100, blank=True)
    region = models.CharField("state or region", max_length=100, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    country = models.CharField(
        max_length=2, blank=True, help_text="Two letters, ISO 3166: DE, US ..."
    )
    external_data = models.JSONField(
        default=dict, blank=True, encoder=ExactEncoder, decoder=ExactDecoder
    )
    # What set each key (see `logs.recording.captures`); changes with the data only.
    external_provenance = models.JSONField(default=dict, blank=True, editable=False)
    score = models.IntegerField(default=0, help_text="Points that macros give.")
    created_at = models.DateTimeField("created", auto_now_add=True)
    erased_at = models.DateTimeField("erased", null=True, editable=False)
    erased_by = models.CharField(max_length=150, blank=True, editable=False)
    # While it is under way: what was in the profile, to be found in texts and logs.
    # Empty before and afterwards.
    erasure = models.JSONField(default=dict, blank=True, editable=False)

    # What is known of the person themselves.
    PROFILE = (
        "email",
        "first_name",
        "last_name",
        "phone",
        "company",
        "street1",
        "street2",
        "city",
        "region",
        "postal_code",
        "country",
    )

    # What macros and other systems put on the profile.
    BROUGHT = ("external_data", "external_provenance", "score")

    tenancy = Tenancy("community", "tickets__feedback_type__project", is_many=True)
    privacy = Privacy(
        hidden=ALL, texts=("external_data", "external_provenance"), about=("pk",)
    )
    announced = Announced(
        plain=(*PROFILE, "score"),
        values={"external_data": "external_"},
        hushed="erased_at",
    )
    objects = AnnouncedQuerySet["Tester"].as_manager()

    class Meta:
        ordering = ["email"]
        permissions = [
            ("export_tester", "Can export all that is stored of a tester"),
            ("erase_tester", "Can erase a tester for good"),
        ]
        constraints = [
            unique_name(
                "community", of="email", name="tester_email_in_community", message=_TWIN
            )
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def clean(self) -> None:
        """One person, whatever the capitals, in the domain's foreign letters too."""
        twins = Tester.objects.filter(
            community=self.community_id, email__iexact=self.email
        )
        if twins.exclude(pk=self.pk).exists():
            raise ValidationError({"email": _TWIN})

    def audit_name(self) -> str:
        return f"Tester {self.pk}"

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()
