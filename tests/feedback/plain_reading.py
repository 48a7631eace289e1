"""What conditions mean, in plain Python: an independent second reading.

Made from docs/filters.md, and nothing of the compiler is used here.
"""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from feedback.models import Feedback
from feedback.names import fold

NEGATIVES = {
    "is_not": "is",
    "does_not_contain": "contains",
    "is_not_empty": "is_empty",
    "no": "yes",
}
SUBMITTER = ("email", "first_name", "last_name")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def meets(
    part: dict[str, Any], ticket: Feedback, now: datetime, zone: ZoneInfo
) -> bool:
    if "conditions" in part:
        every = [meets(each, ticket, now, zone) for each in part["conditions"]]
        return all(every) if part["match"] == "all" else not every or any(every)
    qualifier, value = part["qualifier"], part.get("value")
    if qualifier in NEGATIVES:
        return not meets(part | {"qualifier": NEGATIVES[qualifier]}, ticket, now, zone)
    kind, stored = read(ticket, part["field"])
    if qualifier == "is_one_of":
        one = "contains" if kind == "choices" else "is"
        return any(
            meets(part | {"qualifier": one, "value": each}, ticket, now, zone)
            for each in value
        )
    if kind == "external":
        return external(stored, qualifier, value)
    if qualifier == "is_empty":
        return stored in (None, "", [])
    if stored is None:
        return False
    compare: Any = {
        **{"text": text, "texts": texts, "choice": choice, "choices": choices},
        **{"number": number, "truth": lambda stored, *_: stored, "row": row},
    }.get(kind)
    if compare is not None:
        return bool(compare(stored, qualifier, value))
    return (moment if kind == "moment" else day)(stored, qualifier, value, now, zone)


def read(ticket: Feedback, field: str) -> tuple[str, Any]:
    """The kind of a field, and its value in this ticket; None is none."""
    if field.startswith("external_"):
        return "external", ticket.external_data.get(field.removeprefix("external_"))
    if field.startswith("field_"):
        return answer(ticket, field.removeprefix("field_"))
    submitter = ticket.submitter
    if field == "submitter":
        names = [getattr(submitter, name) for name in SUBMITTER] if submitter else []
        return "texts", names
    if field.startswith("submitter_"):
        name = field.removeprefix("submitter_")
        if submitter is None:
            return ("number" if name == "score" else "text"), None
        if name == "email_domain":
            return "text", submitter.email.rpartition("@")[2]
        stored = getattr(submitter, name)
        return ("number" if name == "score" else "text"), stored
    return {
        "status": lambda: ("row", ticket.status_id),
        "type": lambda: ("row", ticket.feedback_type_id),
        "open": lambda: ("truth", bool(ticket.status and ticket.status.is_open)),
        "title": lambda: ("text", ticket.title),
        "description": lambda: ("text", ticket.description),
        "number": lambda: ("number", ticket.number),
        "comments": lambda: ("number", ticket.comments.count()),
        "visibility": lambda: ("choice", ticket.visibility),
        "created": lambda: ("moment", ticket.created_at),
    }[field]()


def answer(ticket: Feedback, key: str) -> tuple[str, Any]:
    """An answer of a kind that the type's question does not have is none."""
    asked = {each.key: each.kind for each in ticket.feedback_type.form_fields.all()}
    stored = ticket.form_values.get(key)
    kind = asked.get(key, "text")
    if key not in asked:
        stored = None
    if kind == "checkbox":
        return "truth", stored is True
    if kind == "multiple_choice":
        return "choices", stored if isinstance(stored, list) else None
    if kind == "number":
        is_number = isinstance(stored, int | Decimal) and not isinstance(stored, bool)
        return "number", stored if is_number else None
    text = stored if isinstance(stored, str) else None
    if kind == "date":
        is_date = text and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text)
        return "date", text if is_date else None
    return ("choice" if kind == "choice" else "text"), text


def text(stored: str, qualifier: str, value: str) -> bool:
    one, other = fold(stored), fold(value)
    return {
        "is": one == other,
        "contains": other in one,
        "starts_with": one.startswith(other),
        "ends_with": one.endswith(other),
    }[qualifier]


def texts(stored: list[str], qualifier: str, value: str) -> bool:
    return any(text(each, qualifier, value) for each in stored)


def choice(stored: str, qualifier: str, value: str) -> bool:
    return stored == value


def choices(stored: list[object], qualifier: str, value: str) -> bool:
    return value in stored


def row(stored: int, qualifier: str, value: int) -> bool:
    return stored == value


def number(stored: Any, qualifier: str, value: Any) -> bool:
    if qualifier == "between":
        return bool(Decimal(str(value[0])) <= stored <= Decimal(str(value[1])))
    other = Decimal(str(value))
    return {
        "is": stored == other,
        "greater": stored > other,
        "less": stored < other,
        "at_least": stored >= other,
        "at_most": stored <= other,
    }[qualifier]


def external(stored: object, qualifier: str, value: Any) -> bool:
    if qualifier == "is_empty":
        return stored is None or stored == ""
    if qualifier == "yes":
        return stored is True or stored == "true"
    if qualifier in ("contains", "starts_with", "ends_with"):
        return isinstance(stored, str) and text(stored, qualifier, value)
    is_number = isinstance(stored, int | Decimal) and not isinstance(stored, bool)
    if qualifier != "is":
        return is_number and number(stored, qualifier, value)
    if isinstance(stored, bool):
        return bool(value == json.dumps(stored))
    if is_number:
        is_written = _NUMBER.fullmatch(str(value))
        return bool(is_written and Decimal(str(value)) == stored)
    return isinstance(stored, str) and stored == str(value)


def length(span: str) -> timedelta:
    amount, unit = span.split()
    return timedelta(**{unit.rstrip("s") + "s": int(amount)})


def moment(
    stored: datetime, qualifier: str, value: Any, now: datetime, zone: ZoneInfo
) -> bool:
    if qualifier == "in_last":
        return now - length(value) <= stored <= now
    if qualifier == "more_than_ago":
        return stored < now - length(value)
    if qualifier == "today":
        return stored.astimezone(zone).date() == now.astimezone(zone).date()
    if qualifier == "between":
        start, end = value
        if len(end) > 10:
            return begin(start, zone) <= stored <= begin(end, zone)
        day_after = date.fromisoformat(end) + timedelta(1)
        return begin(start, zone) <= stored < begin(day_after.isoformat(), zone)
    edge = begin(value, zone)
    return stored >= edge if qualifier == "after" else stored < edge


def begin(written: str, zone: ZoneInfo) -> datetime:
    if len(written) == 10:
        return datetime.combine(date.fromisoformat(written), time_of_day(), zone)
    return datetime.fromisoformat(written)


def day(stored: str, qualifier: str, value: Any, now: datetime, zone: ZoneInfo) -> bool:
    today = now.astimezone(zone).date()
    if qualifier == "today":
        return stored == today.isoformat()
    if qualifier == "in_last":
        return (today - length(value)).isoformat() < stored <= today.isoformat()
    if qualifier == "more_than_ago":
        return stored < (today - length(value)).isoformat()
    if qualifier == "between":
        return bool(value[0] <= stored <= value[1])
    return {
        "is": stored == value,
        "after": stored >= value,
        "before": stored < value,
    }[qualifier]
