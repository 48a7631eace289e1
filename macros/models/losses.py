"""What those lose who use a status or a question that is removed or renamed."""

from __future__ import annotations

from collections.abc import Iterator

from feedback.models import FormField, Status

from .usage import (
    User,
    users_of,
    users_of_choice,
    users_of_kind,
    users_of_label,
)

_MAX_LISTED = 20


def lost(
    before: Status | FormField, after: Status | FormField | None
) -> Iterator[tuple[str, list[User]]]:
    """Each part that is gone afterwards, if anything uses it; None: all of it."""
    for part, users in _parts(before, after):
        if users:
            yield part, users


def _parts(
    before: Status | FormField, after: Status | FormField | None
) -> Iterator[tuple[str, list[User]]]:
    if after is None:
        noun = str(before._meta.verbose_name).capitalize()
        yield f"{noun} {before}", users_of(before)
    elif isinstance(before, FormField) and isinstance(after, FormField):
        yield from _of_question(before, after)


def _of_question(
    before: FormField, after: FormField
) -> Iterator[tuple[str, list[User]]]:
    """The key that others know a question by, its kind, its label, its choices."""
    if after.key != before.key:
        yield f"Key {before.key} of {before}", users_of(before)
        return
    if after.kind != before.kind:
        yield f"Kind of {before}", users_of_kind(before, after)
    if after.label != before.label:
        yield f"Label {before.label}", users_of_label(before)
    for choice in before.choice_list:
        if choice not in after.choice_list:
            yield f"Choice {choice} of {before}", users_of_choice(before, choice)


def listed(users: list[User]) -> str:
    names = [name for _, name in users]
    more = len(names) - _MAX_LISTED
    shown = "; ".join(names[:_MAX_LISTED])
    return f"{shown}; and {more} more" if more > 0 else shown
