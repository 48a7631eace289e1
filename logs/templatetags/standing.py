"""`{% load standing %}`: how runs and deliveries stand, in templates."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from feedback.models import Feedback, Tester

from .. import console
from ..models import Delivery

# Deliveries on the page of their ticket or tester.
MAX_LAST = 5

register = template.Library()
register.simple_tag(console.run_badge)
register.simple_tag(console.run_bar)
register.simple_tag(console.delivery_badge)
register.simple_tag(console.code_badge)
register.simple_tag(console.response_badge)
register.simple_tag(console.test_badge)


@register.inclusion_tag("admin/logs/delivery/last_of.html", takes_context=True)
def last_deliveries(
    context: Context, subject: Feedback | Tester | str
) -> dict[str, Any]:
    """What was last sent about a ticket or tester, for whoever may see the log.

    On the page of a new one there is none: the template's empty text stands for it.
    """
    if isinstance(subject, str):
        return {"may_see": False}
    by = "tester" if isinstance(subject, Tester) else "feedback"
    rows = Delivery.objects.visible_to(context["request"].user)
    mine = rows.filter(**{by: subject.pk}).order_by("-pk")
    # The macro as it was has no part in this, and may be long.
    shown = mine.select_related("run", "destination").defer("run__snapshot")
    return {
        "rows": shown[: MAX_LAST + 1],
        "most": MAX_LAST,
        "by": by,
        "subject": subject,
        "may_see": context["request"].user.has_perm("logs.view_delivery"),
    }
