"""Which names a type's templates may use."""

from feedback.models import FeedbackType, FieldKind, FormField

from ..tags import FieldInfo
from .secrets import Secret

_TAG_TYPES = {
    FieldKind.NUMBER: ("number", "42"),
    FieldKind.CHECKBOX: ("boolean", "true"),
    FieldKind.DATE: ("date", "2026-11-23"),
    FieldKind.MULTIPLE_CHOICE: ("list", "first, second"),
    FieldKind.URL: ("text", "https://example.com/page"),
}


def field_infos(feedback_type: FeedbackType | None) -> list[FieldInfo]:
    if feedback_type is None:
        return []
    return [field_info(field) for field in feedback_type.form_fields.all()]


def secret_names(community: int, project: int | None) -> list[str]:
    return Secret.objects.keys_in(community, project)


def field_info(field: FormField) -> FieldInfo:
    kind, sample = _TAG_TYPES.get(FieldKind(field.kind), ("text", "some text"))
    if field.choice_list:
        sample = field.choice_list[0]
    return FieldInfo(key=field.key, label=field.label, type=kind, sample=sample)
