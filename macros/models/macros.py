from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models

from feedback import formats
from feedback.access.actors import ScopedQuerySet, Tenancy
from feedback.access.privacy import NOTHING_PERSONAL
from feedback.models import (
    Community,
    FeedbackType,
    Project,
    SavedInPart,
    SubjectKind,
)
from feedback.models.folded import unique_name
from feedback.models.owned import Owned

from ..retries import (
    CAUSE_LABELS,
    DEFAULT_LADDER,
    RetryCause,
    in_words,
    parse_give_up,
    parse_ladder,
)
from ..tags import Scope
from .scopes import field_infos, secret_names
from .steps import Step, kind_accessors

T = TypeVar("T")


class MacroQuerySet(ScopedQuerySet["Macro"]):
    def pause(self, reason: str, now: datetime) -> bool:
        """True if that paused one; of several reasons the first is kept."""
        going = self.filter(paused_reason="")
        return bool(going.update(paused_reason=reason, paused_at=now))


class Macro(Owned, SavedInPart):
    """An ordered list of steps that is run on each selected subject.

    A feedback macro has a type and runs on its tickets. A user macro has none: it runs
    on the testers of its project or, without a project, of its community.
    """

    community = models.ForeignKey(
        Community, models.CASCADE, related_name="macros", editable=False
    )
    project = models.ForeignKey(
        Project, models.CASCADE, related_name="macros", null=True, editable=False
    )
    feedback_type = models.ForeignKey(
        FeedbackType, models.CASCADE, related_name="macros", null=True, blank=True
    )
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    is_active = models.BooleanField(
        "on", default=True, help_text="A macro that is off is not offered as an action."
    )
    once_per_subject = models.BooleanField(
        "once per ticket or tester",
        default=False,
        help_text="What the macro has run on, or is running on, is left out of the next"
        " run. What failed, was skipped or cancelled can be run on again.",
    )
    asks_confirmation = models.BooleanField(
        "ask for confirmation",
        default=True,
        help_text="If this is off, Perform Action starts at once, without a page that"
        " shows what will happen. For more than 1,000 it always asks.",
    )
    retry_ladder = models.CharField(
        "retry after",
        max_length=200,
        blank=True,
        default=DEFAULT_LADDER,
        help_text="The waits before each retry of a request that failed for a cause"
        " that may pass. Leave it empty for no retries.",
    )
    retry_connection = models.BooleanField(
        CAUSE_LABELS[RetryCause.CONNECTION], default=True
    )
    retry_timeout = models.BooleanField(CAUSE_LABELS[RetryCause.TIMEOUT], default=True)
    retry_server_error = models.BooleanField(
        CAUSE_LABELS[RetryCause.SERVER_ERROR], default=True
    )
    retry_busy = models.BooleanField(CAUSE_LABELS[RetryCause.BUSY], default=True)
    retry_unknown = models.BooleanField(
        "also when the outcome is unknown",
        default=True,
        help_text="After a timeout the system may have acted on the request, so that a"
        " retry may make it act twice. If this is off, such a delivery fails and"
        " says so.",
    )
    give_up_after = models.CharField(
        max_length=20,
        blank=True,
        help_text="No retry comes later than this after the start of the run: 1 d."
        " Leave it empty to end with the last wait above.",
    )
    paused_reason = models.TextField(
        blank=True, editable=False, help_text="The macro is paused while this says why."
    )
    paused_at = models.DateTimeField("paused", null=True, editable=False)
    created_at = models.DateTimeField("created", auto_now_add=True)
    modified_at = models.DateTimeField("modified", auto_now=True)

    NEVER_SAVED = ("paused_reason", "paused_at")

    tenancy = Tenancy("community", "project")
    privacy = NOTHING_PERSONAL
    objects = MacroQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        permissions = [("run_macro", "Can run macros, control runs and resend")]
        constraints = [
            unique_name(
                "feedback_type",
                name="macro_name_in_type",
                message="The type has a macro of this name.",
            ),
            unique_name(
                "project",
                within=models.Q(feedback_type=None),
                name="user_macro_name_in_project",
                message="The project has a user macro of this name.",
            ),
            unique_name(
                "community",
                within=models.Q(project=None),
                name="user_macro_name_in_community",
                message="The community has a user macro of this name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.find_owners()
        super().save(*args, **kwargs)

    @classmethod
    def at(cls, owner: FeedbackType | Project | Community, **values: Any) -> Macro:
        """A new one that belongs there."""
        fields = {FeedbackType: "feedback_type", Project: "project"}
        made = cls(**{fields.get(type(owner), "community"): owner}, **values)
        made.find_owners()
        return made

    @property
    def has_owner(self) -> bool:
        """False in a form that does not say yet where it belongs."""
        self.find_owners()
        return self.community_id is not None

    @property
    def subject_kind(self) -> SubjectKind:
        return (
            SubjectKind.TESTER
            if self.feedback_type_id is None
            else SubjectKind.FEEDBACK
        )

    @property
    def runs_on(self) -> str:
        """The subjects in words, for a list or a sentence."""
        if self.feedback_type is not None:
            return str(self.feedback_type)
        if self.project is not None:
            return f"testers of {self.project}"
        return f"all testers of {self.community}"

    def scope(self) -> Scope:
        """Which names its templates may use."""
        self.find_owners()
        secrets = secret_names(self.community_id, self.project_id)
        return Scope.of(field_infos(self.feedback_type), secrets, self.subject_kind)

    def concrete_steps(self) -> list[Step]:
        """The steps in order, each as its own kind."""
        return [step.concrete for step in self.steps.select_related(*kind_accessors())]

    def clean(self) -> None:
        if not self.has_owner:
            problem = "Choose a feedback type or testers."
            raise ValidationError({"feedback_type": problem})
        ladder = _checked("retry_ladder", parse_ladder, self.retry_ladder)
        give_up = _checked("give_up_after", parse_give_up, self.give_up_after)
        if ladder and give_up < ladder[0]:
            problem = (
                f"'{self.give_up_after}' is shorter than the first wait,"
                f" {in_words(ladder[0])}, so nothing would be tried again."
            )
            raise ValidationError({"give_up_after": problem})

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Names are compared among those of the owner, which no form shows."""
        hidden = set(exclude or ())
        if self.has_owner:
            hidden -= {"community", "project", "feedback_type"}
        super().validate_constraints(exclude=hidden)

    @property
    def why_idle(self) -> str:
        """What keeps a macro without a step that is on from running, after its name."""
        if self.steps.exists():
            return "has only steps that are off. Switch one on to run it."
        return "has no step. Add one to run it."

    @property
    def retry_causes(self) -> list[RetryCause]:
        return [cause for cause in CAUSE_LABELS if getattr(self, f"retry_{cause}")]

    def is_locked(self) -> bool:
        """Whether it needs an API key, and its community has no valid one."""
        needs_key = self.steps.needing_key().exists()
        return needs_key and not self.community.is_unlocked()

    def snapshot(self, steps: Iterable[Step] | None = None) -> dict[str, object]:
        """All that a run needs of the macro, so that later edits don't reach it.

        Its steps that are off are left out. `steps` are others than its own, for a test
        of what is not saved yet.
        """
        self.find_owners()
        if steps is None:
            steps = [step for step in self.concrete_steps() if step.is_active]
        return {
            "format": formats.RUN,
            "macro": self.name,
            "subject_kind": self.subject_kind,
            "retry_ladder": self.retry_ladder,
            "retry_causes": self.retry_causes,
            "retry_unknown": self.retry_unknown,
            "give_up_after": self.give_up_after,
            "steps": [step.snapshot() for step in steps],
            "fields": [asdict(info) for info in field_infos(self.feedback_type)],
            # Where secrets are looked up when the run is at work, and which there are.
            "community": self.community_id,
            "project": self.project_id,
            "secrets": secret_names(self.community_id, self.project_id),
        }


def _checked(field: str, parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except ValueError as error:
        raise ValidationError({field: str(error)}) from error
