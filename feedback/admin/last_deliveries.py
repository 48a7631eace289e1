"""What was last sent about the rows of a list, and how it stands."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils.html import format_html, strip_tags
from django.utils.safestring import SafeString

from logs.console import delivery_badge
from logs.models import Cause, Delivery

from ..console.parts import moment
from ..models import Feedback, Tester

Subject = Feedback | Tester
# The column's name, and the attribute of a row that has one.
LAST_DELIVERY = "last_delivery"


@admin.display(description="last delivery")
def last_delivery_column(subject: Subject) -> SafeString:
    delivery: Delivery | None = getattr(subject, LAST_DELIVERY, None)
    if delivery is None:
        return SafeString("-")
    when = strip_tags(moment(delivery.finished_at or delivery.run.created_at))
    return format_html(
        '<a href="{}" title="{}, {}">{}</a>',
        reverse("admin:logs_delivery_change", args=[delivery.pk]),
        delivery.run.macro_name,
        when,
        delivery_badge(delivery),
    )


last_delivery_column.__name__ = LAST_DELIVERY


def put_on(rows: Sequence[Subject], user: User | AnonymousUser) -> None:
    """Give each row its newest delivery that the user may see; one query for all.

    What was only sent to try a macro out is none.
    """
    if not rows:
        return
    model = type(rows[0])
    subject = "tester" if model is Tester else "feedback"
    sent = Delivery.objects.filter(**{subject: OuterRef("pk")})
    newest = sent.exclude(run__cause=Cause.TEST).order_by("-pk").values("pk")[:1]
    pages = model._base_manager.filter(pk__in=[row.pk for row in rows])
    shown = Delivery.objects.visible_to(user).filter(
        pk__in=pages.values_list(Subquery(newest))
    )
    # The macro as it was has no part in this, and may be long.
    deliveries = shown.select_related("run").defer("run__snapshot")
    by_subject = {delivery.subject_id: delivery for delivery in deliveries}
    for row in rows:
        setattr(row, LAST_DELIVERY, by_subject.get(row.pk))
