"""The columns that a type or community brings to its list, and external data."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator
from django.utils.timezone import localtime

from logs.models import Delivery
from macros.models import InboundEvent

from ..console.parts import status_badge
from ..forms import PREFIX
from ..models import Feedback, FormField, Tester
from ..models.numbers import written
from ..names import normalise

Subject = Feedback | Tester
# Characters of a value in a list.
_SHOWN = 120
# What `list_display` holds.
Column = str | Callable[[Any], str | bool]


@admin.display(description="status", ordering="status")
def status_column(ticket: Feedback) -> str:
    return status_badge(ticket.status) if ticket.status else "-"


status_column.__name__ = "status"


def answer_column(question: FormField) -> Callable[[Feedback], str]:
    @admin.display(description=question.label)
    def answer(ticket: Feedback) -> str:
        return _short(ticket.form_values.get(question.key))

    answer.__name__ = _class_name(PREFIX + question.key)
    return answer


def external_column(name: str) -> Callable[[Subject], str]:
    @admin.display(description=name.replace("_", " "))
    def value(subject: Subject) -> str:
        data = subject.external_data
        return _short(data.get(name, data.get(normalise(name))))

    value.__name__ = _class_name(f"external_{name}")
    return value


def external_table(subject: Subject) -> str:
    """External data, each value with the delivery or other origin that set it."""
    if not subject.external_data:
        return "Nothing yet."
    known = _deliveries_of(subject) | _calls_of(subject)
    body = format_html_join(
        "",
        '<tr><th>{}</th><td>{}</td><td class="quiet">{}</td></tr>',
        (
            (key, in_cell(value), _origin(subject.external_provenance.get(key), known))
            for key, value in sorted(subject.external_data.items())
        ),
    )
    return format_html('<table class="pairs">{}</table>', body)


def _calls_of(subject: Subject) -> set[str]:
    """The pages of calls from outside that are named as origins, and still there."""
    named = {each.get("call", 0) for each in subject.external_provenance.values()}
    own = "tester" if isinstance(subject, Tester) else "feedback"
    events = InboundEvent.objects.filter(call__in=named - {0}, **{own: subject.pk})
    calls = events.values_list("call", flat=True) if named - {0} else ()
    return {reverse("admin:macros_inboundcall_change", args=[pk]) for pk in calls}


def _deliveries_of(subject: Subject) -> set[str]:
    """The pages of deliveries that are named as origins, and still on the log."""
    named = [each.get("delivery", 0) for each in subject.external_provenance.values()]
    own = "tester" if isinstance(subject, Tester) else "feedback"
    rows = Delivery.objects.filter(pk__in=named, **{own: subject.pk}) if named else ()
    return {reverse("admin:logs_delivery_change", args=[row.pk]) for row in rows}


def _origin(provenance: dict[str, Any] | None, known: set[str]) -> str:
    if not provenance:
        return ""
    at = localtime(datetime.fromisoformat(provenance["at"]))
    label = f"{provenance['source']}, {date_format(at, 'j M Y, H:i')}"
    url = ""
    if "run" in provenance:
        label = f"run {provenance['run']}, attempt {provenance['attempt']}, {label}"
        url = reverse("admin:logs_delivery_change", args=[provenance["delivery"]])
    elif "call" in provenance:
        label = f"call {provenance['call']}, {label}"
        url = reverse("admin:macros_inboundcall_change", args=[provenance["call"]])
    if url not in known:
        return f"from {label}"
    return format_html('<a href="{}">from {}</a>', url, label)


def _class_name(name: str) -> str:
    """The admin writes it into the cell's class as it is."""
    return re.sub(r"[^\w-]+", "_", name)


def _short(value: object) -> str:
    """In a list; the whole of it stands on the row's own page."""
    return Truncator(in_cell(value)).chars(_SHOWN)


def in_cell(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(in_cell, value))
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, Decimal):
        return written(value)
    return "-" if value in (None, "") else str(value)
