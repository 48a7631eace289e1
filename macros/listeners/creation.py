"""A ticket or tester that a listener creates where it found none."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.core.exceptions import ValidationError

from feedback.forms import answer_from
from feedback.models import Feedback, FeedbackType, FormField, Status, Tester
from feedback.models.tickets import Visibility
from feedback.names import fold, normalise
from feedback.sources.people import testers_by_email

from .setup import Setup

TICKET_COLUMNS = ("title", "description", "status", "submitter", "visibility")
# What is longer than its column is cut, and says so by its end.
_MAX_TITLE = 250
_UNTITLED = "Without a title"


def create(
    setup: Setup, texts: Mapping[str, str], note: Callable[[str], None]
) -> Feedback | Tester:
    """From texts by the names of what they set. Raises ValueError, with a sentence."""
    try:
        if setup.is_for_testers:
            return _tester(setup, texts)
        return _ticket(setup, texts, note)
    except ValidationError as error:
        raise ValueError(_in_words(error)) from None


def unknown_names(setup: Setup, names: list[str]) -> list[str]:
    """Those that neither a column nor a question has."""
    if setup.is_for_testers:
        return [name for name in names if _column(name) not in Tester.PROFILE]
    return [
        name
        for name in names
        if normalise(name) not in TICKET_COLUMNS and _question(setup, name) is None
    ]


def _ticket(
    setup: Setup, texts: Mapping[str, str], note: Callable[[str], None]
) -> Feedback:
    feedback_type: FeedbackType | None = setup.listener.feedback_type
    if feedback_type is None:
        raise ValueError("Only the listener of a feedback type can create tickets.")
    _refuse_if_deleted(setup)
    ticket = Feedback(feedback_type=feedback_type, title=_UNTITLED)
    problems: list[str] = []
    for name, text in texts.items():
        column = normalise(name)
        try:
            if column in TICKET_COLUMNS:
                _set_column(setup, ticket, column, text.strip(), note)
            elif question := _question(setup, name):
                if (value := answer_from(question, text)) is not None:
                    ticket.form_values[question.key] = value
            else:
                problems.append(f"{name}: The form has no such field.")
        except ValidationError as error:
            problems.append(f"{name}: {' '.join(error.messages)}")
    if problems:
        raise ValueError(" ".join(problems))
    ticket.save()
    return ticket


def _refuse_if_deleted(setup: Setup) -> None:
    """Much is deleted in steps, and would be added to meanwhile."""
    listener = setup.listener
    for owner in (listener.feedback_type, listener.project, listener.community):
        if owner is not None and owner.deleting_since:
            raise ValueError(f"{owner} is being deleted.")


def _set_column(
    setup: Setup,
    ticket: Feedback,
    column: str,
    text: str,
    note: Callable[[str], None],
) -> None:
    if not text:
        return
    if column == "title":
        one_line = " ".join(text.split())
        is_short = len(one_line) <= _MAX_TITLE
        ticket.title = one_line if is_short else f"{one_line[: _MAX_TITLE - 1]}…"
    elif column == "description":
        ticket.description = text
    elif column == "visibility":
        if fold(text) not in Visibility.values:
            raise ValidationError("Give public or private.")
        ticket.visibility = fold(text)
    elif column == "status":
        ticket.status = _status(ticket.feedback_type, text)
    else:
        ticket.submitter = tester_of(setup, text)
        if ticket.submitter is None:
            note("The submitter is not a tester of the community, so it has none.")


def _status(feedback_type: FeedbackType, name: str) -> Status:
    for status in feedback_type.statuses.all():
        if fold(status.name) == fold(name):
            return status
    raise ValidationError(f"The feedback type has no status '{name[:100]}'.")


def tester_of(setup: Setup, email: str) -> Tester | None:
    known = testers_by_email(setup.listener.community, [email]).get(fold(email))
    return known if known and known.erased_at is None else None


def _tester(setup: Setup, texts: Mapping[str, str]) -> Tester:
    _refuse_if_deleted(setup)
    tester = Tester(community=setup.listener.community)
    for name, text in texts.items():
        column = _column(name)
        if column not in Tester.PROFILE:
            raise ValueError(f"{name}: A tester has no such field.")
        setattr(tester, column, text.strip())
    tester.full_clean()
    tester.save()
    return tester


def _column(name: str) -> str:
    column = normalise(name)
    return {"street": "street1", "street_2": "street2"}.get(column, column)


def _question(setup: Setup, name: str) -> FormField | None:
    of = setup.listener.feedback_type_id
    return None if of is None else setup.questions.get((of, fold(name)))


def _in_words(error: ValidationError) -> str:
    if not hasattr(error, "message_dict"):
        return " ".join(error.messages)
    return " ".join(
        f"{name}: {' '.join(messages)}" for name, messages in error.message_dict.items()
    )
