"""What a source's page tells the people who write the program that calls it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..models import FeedbackType, FieldKind, FormField, Visibility
from ..models.types import CHOICE_KINDS
from .external import MAX_ITEMS, MAX_TEXT
from .members import (
    DESCRIPTION,
    EXTERNAL,
    STATUS,
    SUBMITTER,
    TITLE,
    VISIBILITY,
    Members,
)
from .reading import MAX_DESCRIPTION, MAX_TITLE

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Described:
    """A member for the caller; `control` is the part of an HTML form that asks."""

    name: str
    label: str
    schema: Schema
    example: object
    control: str = "text"
    required: bool = False
    choices: list[str] = field(default_factory=list)
    max_length: int | None = None


def described(members: Members) -> list[Described]:
    """In the order of the form."""
    questions = (_of_question(members, each) for each in members.questions)
    return [*_of_every_ticket(members), *questions]


def json_schema(members: Members) -> Schema:
    every = described(members)
    scalars = ["string", "number", "boolean", "null"]
    elements = {"type": scalars, "maxLength": MAX_TEXT}
    values = {
        "type": [*scalars, "array"],
        "maxLength": MAX_TEXT,
        "maxItems": MAX_ITEMS,
        "items": elements,
    }
    properties = {each.name: {"title": each.label, **each.schema} for each in every}
    properties[EXTERNAL] = {
        "title": "External data",
        "description": "Values of your own by their names, such as a key.",
        "type": "object",
        "propertyNames": {"pattern": "^[A-Za-z][A-Za-z0-9_]{0,99}$"},
        "additionalProperties": values,
    }
    return {
        "$schema": _DIALECT,
        "title": f"{members.source.feedback_type}",
        "type": "object",
        "required": [each.name for each in every if each.required],
        "properties": properties,
        "additionalProperties": False,
    }


def ticket_schema(feedback_type: FeedbackType) -> Schema:
    """What `POST /feedback/` takes for a type, its form under `form_values`."""
    texts = {each.name: {"title": each.label, **each.schema} for each in _texts()}
    statuses = [each.name for each in feedback_type.statuses.all()]
    email = {"type": ["string", "null"], "format": "email", "maxLength": 254}
    return {
        "$schema": _DIALECT,
        "title": f"{feedback_type}",
        "type": "object",
        "required": ["type", TITLE],
        "properties": {
            "type": {"const": feedback_type.pk},
            **texts,
            STATUS: {"enum": [*statuses, None]},
            VISIBILITY: {"enum": [*Visibility.values]},
            SUBMITTER: email,
            "form_values": form_schema(feedback_type),
            "external_data": {"type": "object"},
        },
        "additionalProperties": False,
    }


def form_schema(feedback_type: FeedbackType) -> Schema:
    """The answers to the questions of a form, by their keys."""
    questions = list(feedback_type.form_fields.all())
    properties = {}
    for each in questions:
        schema, sample = _schema_and_example(FieldKind(each.kind), each)
        if not each.required:
            schema = {"anyOf": [schema, {"type": "null"}]}
        texts = {"title": each.label, "description": each.help_text}
        properties[each.key] = {**texts, **schema, "examples": [sample]}
    return {
        "type": "object",
        "required": [each.key for each in questions if each.required],
        "properties": properties,
        "additionalProperties": False,
    }


def example(members: Members) -> dict[str, object]:
    """A body that makes a ticket: what is required, and the form's questions."""
    optional = {STATUS, SUBMITTER, VISIBILITY}
    return {
        each.name: each.example
        for each in described(members)
        if each.required or each.name not in optional
    }


def _of_every_ticket(members: Members) -> Iterator[Described]:
    yield from _texts()
    if statuses := [each.name for each in members.statuses]:
        yield Described(
            *(STATUS, "Status", {"enum": statuses}, statuses[0]),
            control="choice",
            required=members.needs_status,
            choices=statuses,
        )
    email = {"type": "string", "format": "email", "maxLength": 254}
    yield Described(
        *(SUBMITTER, "E-mail of the submitter", email, "ada@example.com"),
        control="email",
        required=members.needs_submitter,
    )
    sides: list[str] = list(Visibility.values)
    yield Described(
        *(VISIBILITY, "Visibility", {"enum": sides}, Visibility.PUBLIC.value),
        control="choice",
        choices=sides,
    )


def _texts() -> Iterator[Described]:
    title = {"type": "string", "minLength": 1, "maxLength": MAX_TITLE}
    yield Described(
        *(TITLE, "Title", title, "It breaks"), required=True, max_length=MAX_TITLE
    )
    description = {"type": "string", "maxLength": MAX_DESCRIPTION}
    yield Described(
        *(DESCRIPTION, "Description", description, "What happened."),
        control="long_text",
        max_length=MAX_DESCRIPTION,
    )


def _of_question(members: Members, question: FormField) -> Described:
    kind = FieldKind(question.kind)
    schema, sample = _schema_and_example(kind, question)
    if question.help_text:
        schema["description"] = question.help_text
    return Described(
        *(members.name_of(question), question.label, schema, sample),
        control=kind.value,
        required=question.required,
        choices=question.choice_list if kind in CHOICE_KINDS else [],
        max_length=schema.get("maxLength"),
    )


def _schema_and_example(kind: FieldKind, question: FormField) -> tuple[Schema, object]:
    choices, least = question.choice_list, int(question.required)
    text: Schema = {"type": "string", "minLength": least}
    match kind:
        case FieldKind.TEXT:
            return text | {"maxLength": 500}, "A text"
        case FieldKind.LONG_TEXT:
            return text | {"maxLength": 10_000}, "Several lines"
        case FieldKind.NUMBER:
            whole = 10**12
            bounds = {"exclusiveMinimum": -whole, "exclusiveMaximum": whole}
            decimals = {"description": "At most 6 decimals."}
            return {"type": "number", **bounds, **decimals}, 1.5
        case FieldKind.CHOICE:
            return {"enum": choices}, choices[0]
        case FieldKind.MULTIPLE_CHOICE:
            items = {"items": {"enum": choices}, "minItems": least}
            return {"type": "array", "uniqueItems": True, **items}, choices[:1]
        case FieldKind.CHECKBOX:
            return ({"const": True} if least else {"type": "boolean"}), True
        case FieldKind.DATE:
            return {"type": "string", "format": "date"}, "2026-11-26"
        case FieldKind.URL:
            page: Schema = {"type": "string", "format": "uri", "maxLength": 2_000}
            return page | {"pattern": "^https?://"}, "https://example.com/"
