"""A saved filter of ten conditions, counted over all tickets of a type."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING

from .ground import say

if TYPE_CHECKING:
    from feedback.models import FeedbackType

# One of each kind: texts, choices, numbers, moments, external data, counts, testers.
TEN: list[tuple[str, str, object]] = [
    ("open", "yes", None),
    ("visibility", "is", "public"),
    ("created", "in_last", "30 days"),
    ("field_severity", "is_one_of", ["Critical", "Major"]),
    ("field_impact", "at_least", 10),
    ("title", "contains", "black"),
    ("description", "does_not_contain", "duplicate"),
    ("external_jira_key", "is_not_empty", None),
    ("submitter_email_domain", "is", "example.com"),
    ("comments", "less", 5),
]
_TIMES = 5


def count_ms(of: FeedbackType) -> float:
    """Read, compiled and counted; the median."""
    from feedback.models import Filter
    from feedback.selection.saved import rows_of

    parts = [
        {"field": field, "qualifier": qualifier, "value": value}
        for field, qualifier, value in TEN
    ]
    saved = Filter(feedback_type=of, conditions={"conditions": parts})
    seconds = []
    for _ in range(_TIMES):
        begun = time.monotonic()
        count = rows_of(saved).count()
        seconds.append(time.monotonic() - begun)
    if not count:
        raise RuntimeError("The filter of ten conditions selects nothing.")
    say(f"ten conditions: {count:,} tickets in {median(seconds) * 1e3:.0f} ms")
    return median(seconds) * 1e3
