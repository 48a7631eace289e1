from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet
from django.db import connections, models

from feedback.access.actors import ScopedQuerySet, Tenancy
from feedback.access.privacy import NOTHING_PERSONAL
from feedback.models import Feedback, QuickLoading, SubjectKind, Tester

from .destinations import Destination

if TYPE_CHECKING:
    from .runs import Run

# Tickets or testers. In a union of the two the type checker finds no column.
Subjects = models.QuerySet[Any]


class DeliveryState(models.TextChoices):
    WAITING = "waiting", "Waiting for an earlier step"
    PENDING = "pending", "Pending"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Failed"
    SKIPPED = "skipped", "Skipped"
    CANCELLED = "cancelled", "Cancelled"


class Resend(models.TextChoices):
    SAME = "same", "Same request again"
    ANEW = "anew", "Build anew"


# A subject's name in the log, which stays when the subject is gone.
_LABELS = {
    SubjectKind.FEEDBACK: models.F("reference"),
    SubjectKind.TESTER: models.F("email"),
}


class DeliveryQuerySet(ScopedQuerySet["Delivery"]):
    def to_do(self) -> DeliveryQuerySet:
        """Not ended. PostgreSQL has an index of each of the two, and none of both."""
        waiting = models.Q(state=DeliveryState.WAITING)
        return self.filter(models.Q(state=DeliveryState.PENDING) | waiting)

    def due(self, now: datetime) -> DeliveryQuerySet:
        """To be attempted: new, due for a retry, or held by a worker that died."""
        return self.filter(state=DeliveryState.PENDING, next_attempt_at__lte=now)

    def in_order(self, *, skip_locked: bool = False) -> DeliveryQuerySet:
        """The same rows for an UPDATE, which locks them in the order of their keys.

        An UPDATE alone takes them as it meets them, and two that have rows in common
        may then wait for each other. The rows are to be selected without a join.
        """
        rows = self.order_by("pk").select_for_update(skip_locked=skip_locked)
        return self.model._default_manager.filter(pk__in=rows.values("pk"))

    def create_for(self, run: Run, subjects: Subjects, steps: int) -> int:
        """Insert a delivery for each subject and step, straight from the selection.

        It takes one statement per step; no row passes through Python. Returns how many
        were made.
        """
        inserted = 0
        for step in range(steps):
            first = step == 0
            state = DeliveryState.PENDING if first else DeliveryState.WAITING
            due = run.created_at if first else None
            inserted += self._insert_step(run, subjects, step, state, due)
        return inserted

    def _insert_step(
        self,
        run: Run,
        subjects: Subjects,
        step: int,
        state: DeliveryState,
        due: datetime | None,
    ) -> int:
        connection = connections[self.db]
        columns = {"subject": models.F("pk"), "label": _LABELS[run.subject_kind]}
        selection = subjects.order_by("pk").values(**columns).query
        try:
            inner, params = selection.get_compiler(connection=connection).as_sql()
        except EmptyResultSet:
            return 0
        # Only the model's own names and the ORM's own SQL; values are parameters.
        sql = (
            f"INSERT INTO {self.model._meta.db_table} (run_id, {run.subject_kind}_id,"  # noqa: S608
            " subject_label, step, state, attempts, attempts_before, losses,"
            " next_attempt_at, lease, last_error, resend, resent_by)"
            " SELECT %s, s.subject, s.label, %s, %s, 0, 0, 0, %s, '', '', '', ''"
            f" FROM ({inner}) s"
        )
        due_value = connection.ops.adapt_datetimefield_value(due)
        with connection.cursor() as cursor:
            cursor.execute(sql, [run.pk, step, state, due_value, *params])
            return int(cursor.rowcount)


class Delivery(QuickLoading):
    """One step for one subject in one run.

    A worker owns a delivery only while `lease` is its own token. `next_attempt_at` is
    the moment before which nobody may claim it: when the next try is due or, while
    it is leased, when the lease ends. So a delivery whose worker died becomes due again
    without anybody's doing.
    """

    # The run is written in the same transaction. For a million rows PostgreSQL would
    # take half as long again to look after it once for each.
    run = models.ForeignKey(
        "logs.Run",
        models.CASCADE,
        related_name="deliveries",
        db_index=False,
        db_constraint=False,
    )
    # One of the two is set. The id stays when the subject is deleted: its later steps
    # are found by it, and the log still says whom it was about.
    feedback = models.ForeignKey(
        Feedback,
        models.DO_NOTHING,
        related_name="deliveries",
        null=True,
        db_constraint=False,
        db_index=False,
    )
    tester = models.ForeignKey(
        Tester,
        models.DO_NOTHING,
        related_name="deliveries",
        null=True,
        db_constraint=False,
        db_index=False,
    )
    subject_label = models.CharField("subject", max_length=254)
    step = models.PositiveSmallIntegerField()
    state = models.CharField(
        max_length=10, choices=DeliveryState, default=DeliveryState.PENDING
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    # How many of them were made before the last resend: the ladder starts after them.
    attempts_before = models.PositiveSmallIntegerField(default=0, editable=False)
    # How many of the last tries ended with their worker.
    losses = models.PositiveSmallIntegerField(default=0, editable=False)
    next_attempt_at = models.DateTimeField("next attempt", null=True)
    lease = models.CharField(max_length=32, blank=True, editable=False)
    last_status = models.PositiveSmallIntegerField("response", null=True)
    last_error = models.CharField("error", max_length=10, blank=True)
    # The id stays here, too. To look after the destination of each row of a click,
    # which has none yet, PostgreSQL would take as long as for an index.
    destination = models.ForeignKey(
        Destination,
        models.DO_NOTHING,
        related_name="deliveries",
        null=True,
        db_index=False,
        db_constraint=False,
    )
    finished_at = models.DateTimeField("finished", null=True)
    # The kind of the last resend says where the workers take the request from.
    resend = models.CharField(max_length=4, choices=Resend, blank=True)
    resent_at = models.DateTimeField("resent", null=True)
    resent_by = models.CharField(max_length=150, blank=True)

    tenancy = Tenancy("run__community", "run__project")
    # But for the label of its subject, which an erasure writes anew.
    privacy = NOTHING_PERSONAL
    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "deliveries"
        indexes = [
            # A click writes a million rows, all of them pending: only what is asked of
            # those is kept of each, and what is rare costs nothing before it happens.
            models.Index(fields=["run", "id"], name="delivery_in_run"),
            models.Index(
                fields=["run", "state", "id"],
                name="delivery_by_state",
                condition=models.Q(
                    state__in=["waiting", "failed", "skipped", "cancelled"]
                ),
            ),
            models.Index(
                fields=["state", "id"],
                name="delivery_failed",
                condition=models.Q(state__in=["failed", "skipped", "cancelled"]),
            ),
            models.Index(
                fields=["last_error", "id"],
                name="delivery_with_error",
                condition=models.Q(last_error__gt=""),
            ),
            *(
                models.Index(
                    fields=fields,
                    name=f"delivery_{end}",
                    condition=models.Q((f"{fields[0]}__isnull", False)),
                )
                for fields, end in (
                    # The newest of a subject is found first, however many it has.
                    (["feedback", "id"], "of_ticket"),
                    (["tester", "id"], "of_tester"),
                    (["destination"], "at_destination"),
                )
            ),
            # With the id, since all of a new run is due at one moment: a claim takes
            # the first rows of the index, and sorts none.
            models.Index(
                fields=["run", "next_attempt_at", "id"],
                name="delivery_due",
                condition=models.Q(state="pending"),
            ),
            models.Index(
                fields=["resent_at"],
                name="delivery_resent",
                condition=models.Q(resent_at__isnull=False),
            ),
            models.Index(
                fields=["run", "next_attempt_at", "id"],
                name="delivery_retry_due",
                condition=models.Q(state="pending", attempts__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return self.subject_label + (f", step {self.step + 1}" if self.step else "")

    @property
    def subject_id(self) -> int:
        return self.feedback_id or self.tester_id or 0

    @property
    def has_problem(self) -> bool:
        """Accepted, and a return value that its step requires is missing."""
        return self.state == DeliveryState.DELIVERED and bool(self.last_error)

    @property
    def is_being_sent(self) -> bool:
        return self.state == DeliveryState.PENDING and bool(self.lease)


def delivery_id(run_key: str, pk: int) -> str:
    """The id a receiver sees: the same on every try, different in every run."""
    return f"dlv_{run_key}_{pk}"
