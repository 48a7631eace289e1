"""The statuses and form fields of the demo's two kinds of ticket."""

from __future__ import annotations

from typing import Any

from feedback.models import FieldKind

# Name, whether it is open, how many in a hundred tickets have it.
BUG_STATUSES = [
    ("New", "blue", True, 30),
    ("Confirmed", "violet", True, 22),
    ("In progress", "amber", True, 13),
    ("Waiting for tester", "orange", True, 7),
    ("Fixed", "green", False, 20),
    ("Closed", "grey", False, 8),
]
IDEA_STATUSES = [
    ("New", "blue", True, 40),
    ("Under review", "amber", True, 25),
    ("Planned", "violet", True, 12),
    ("Shipped", "green", False, 10),
    ("Declined", "grey", False, 13),
]

SEVERITIES = ["Critical", "Major", "Minor", "Cosmetic"]
SEVERITY_WEIGHTS = [17, 33, 35, 15]
PLATFORMS = ["iOS", "Android", "Web", "Watch"]
VERSIONS = ["5.0.0", "5.0.1", "5.0.2", "5.1.0-beta.1", "5.1.0-beta.2"]
BENEFITS = ["High", "Medium", "Low"]
AUDIENCES = ["Beginners", "Regulars", "Guides", "Families"]

BUG_FIELDS: list[dict[str, Any]] = [
    {
        "label": "Severity",
        "kind": FieldKind.CHOICE,
        "choices": "\n".join(SEVERITIES),
        "required": True,
        "in_list": True,
        "help_text": "Critical: data is lost or the app can't be used.",
    },
    {
        "label": "Platform",
        "kind": FieldKind.MULTIPLE_CHOICE,
        "choices": "\n".join(PLATFORMS),
        "in_list": True,
    },
    {"label": "Reproducible", "kind": FieldKind.CHECKBOX},
    {
        "label": "App version",
        "kind": FieldKind.TEXT,
        "help_text": "Under Settings, About.",
    },
    {"label": "Found on", "kind": FieldKind.DATE},
    {
        "label": "Impact",
        "kind": FieldKind.NUMBER,
        "help_text": "How many people you know who see it.",
    },
    {"label": "Steps to reproduce", "kind": FieldKind.LONG_TEXT},
    {"label": "Recording", "kind": FieldKind.URL},
]
IDEA_FIELDS: list[dict[str, Any]] = [
    {
        "label": "Benefit",
        "kind": FieldKind.CHOICE,
        "choices": "\n".join(BENEFITS),
        "required": True,
        "in_list": True,
    },
    {
        "label": "Audience",
        "kind": FieldKind.MULTIPLE_CHOICE,
        "choices": "\n".join(AUDIENCES),
    },
    {"label": "Would pay for it", "kind": FieldKind.CHECKBOX},
    {"label": "Example", "kind": FieldKind.URL},
]
