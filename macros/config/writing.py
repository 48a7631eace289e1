"""Macros and feedback types as plain data, with all that people set up in them."""

from __future__ import annotations

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from feedback.models import FeedbackType

from ..models import Macro
from .members import settings_of

Document = dict[str, Any]


def macro_document(macro: Macro) -> Document:
    """The macro with its steps, as versions and files keep it."""
    steps = [step.document() for step in macro.concrete_steps()]
    return plain({**settings_in(macro), "steps": steps})


def type_document(feedback_type: FeedbackType) -> Document:
    """Without its macros."""
    return plain(
        {
            **settings_in(feedback_type),
            "statuses": [settings_in(each) for each in feedback_type.statuses.all()],
            "fields": [settings_in(each) for each in feedback_type.form_fields.all()],
        }
    )


def settings_in(row: models.Model) -> Document:
    return {name: getattr(row, name) for name in settings_of(type(row))}


def plain(document: Document) -> Document:
    """The document as a file gives it back: choices are text, tuples are lists."""
    plain: Document = json.loads(json.dumps(document, cls=DjangoJSONEncoder))
    return plain
