"""The steps that are no web requests: what may be written there, and the way back."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db.models import RestrictedError

from feedback.models import FeedbackType, Status
from macros.models import Macro, step_kinds
from macros.steps.kinds.add_comment import AddComment
from macros.steps.kinds.add_score import AddScore
from macros.steps.kinds.change_status import ChangeStatus
from macros.steps.kinds.send_email import SendEmail
from macros.steps.kinds.set_field import SetField
from macros.steps.kinds.set_visibility import SetVisibility
from macros.steps.kinds.web_request import WebRequest
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def macro(bugs: FeedbackType) -> Macro:
    return Macro.objects.create(feedback_type=bugs, name="All steps")


SETTINGS: dict[str, dict[str, Any]] = {
    "web_request": {"url": "https://example.com/", "method": "PUT", "body": "[]"},
    "change_status": {"status": "Closed"},
    "set_field": {"field": "severity", "value": "Minor"},
    "add_comment": {"text": "Sent by ((Macro))"},
    "set_visibility": {"visibility": "private"},
    "add_score": {"points": -5},
    "send_email": {"to": "((Submitter Email))", "subject": "Thanks", "body": "Hello"},
}


def problems(macro: Macro, kind: str, **settings: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        step_kinds()[kind].restore(macro, SETTINGS[kind] | settings)
    return caught.value.message_dict


def test_every_kind_is_made_from_its_settings_and_gives_them_again(
    macro: Macro,
) -> None:
    assert set(step_kinds()) == set(SETTINGS)
    for position, (kind, settings) in enumerate(SETTINGS.items()):
        step = step_kinds()[kind].restore(macro, settings)
        step.position = position
        step.save()

    steps = macro.concrete_steps()

    assert [type(step) for step in steps] == [
        WebRequest,
        ChangeStatus,
        SetField,
        AddComment,
        SetVisibility,
        AddScore,
        SendEmail,
    ]
    for step, (kind, settings) in zip(steps, SETTINGS.items(), strict=True):
        assert settings.items() <= step.settings().items()
        assert step.snapshot() == {"kind": kind, **step.settings()}
        again = type(step).restore(macro, step.settings())
        assert again.settings() == step.settings()


def test_names_are_looked_up_in_the_type_of_the_macro(macro: Macro) -> None:
    ideas = factories.feedback_type("Idea", "IDEA")
    Status.objects.create(feedback_type=ideas, name="Planned")
    assert problems(macro, "change_status", status="Planned") == {
        "status": ["The feedback type has no status 'Planned'."]
    }
    assert problems(macro, "set_field", field="nothing") == {
        "field": ["The feedback type has no form field 'nothing'."]
    }


def test_members_that_are_unknown_or_of_another_kind_are_named(macro: Macro) -> None:
    assert problems(macro, "add_score", points="5", colour="red") == {
        "points": ["Give a whole number."],
        "colour": ["A score has no setting 'colour'."],
    }
    assert problems(macro, "add_score", points=True) == {
        "points": ["Give a whole number."]
    }
    assert problems(macro, "add_comment", text=["a"]) == {"text": ["Give text."]}


def test_a_status_or_a_field_of_another_type_is_refused(macro: Macro) -> None:
    ideas = factories.feedback_type("Idea", "IDEA")
    status = ChangeStatus(macro=macro, status=ideas.statuses.first())
    with pytest.raises(ValidationError, match="of another feedback type"):
        status.full_clean(exclude=["step_ptr"])
    field = SetField(macro=macro, field=ideas.form_fields.first(), value="Minor")
    with pytest.raises(ValidationError, match="of another feedback type"):
        field.full_clean(exclude=["step_ptr"])


@pytest.mark.parametrize(
    ("kind", "settings", "member", "message"),
    [
        ("set_field", {"value": "Huge"}, "value", "Huge is not one of the available"),
        ("set_field", {"field": "impact", "value": "many"}, "value", "Enter a number"),
        ("set_field", {"field": "reproducible", "value": "x"}, "value", "yes or no"),
        ("set_field", {"value": "((Nonsense))"}, "value", "unknown tag"),
        ("add_comment", {"text": "((Title"}, "text", "column 1"),
        ("add_comment", {"text": "((Secret: slack))"}, "text", "people would read it"),
        (
            "set_visibility",
            {"visibility": "hidden"},
            "visibility",
            "not a valid choice",
        ),
        ("add_score", {"points": 0}, "points", "other than 0"),
        ("add_score", {"points": 1_000_001}, "points", "less than or equal"),
        ("web_request", {"auth_kind": "x"}, "auth_kind", "not a valid choice"),
        ("send_email", {"to": "nobody"}, "to", "not an e-mail address"),
        ("send_email", {"to": " \n"}, "to", "at least one address"),
        ("send_email", {"to": "a@b.c\n" * 11}, "to", "11 lines are too many"),
        ("send_email", {"to": "((Secret: slack))"}, "to", "which the log shows"),
        ("send_email", {"subject": "((Nope))"}, "subject", "unknown tag"),
        ("send_email", {"body": "((Nope))"}, "body", "unknown tag"),
    ],
)
def test_what_could_never_be_done_is_refused_when_it_is_saved(
    bugs: FeedbackType,
    macro: Macro,
    kind: str,
    settings: dict[str, Any],
    member: str,
    message: str,
) -> None:
    factories.secret(bugs, "slack")
    refused = problems(macro, kind, **settings)
    assert list(refused) == [member]
    assert message in " ".join(refused[member])


def test_a_user_macro_has_no_steps_that_only_tickets_know(bugs: FeedbackType) -> None:
    macro = Macro.objects.create(community=bugs.project.community, name="Thank")
    for kind in ("add_comment", "set_visibility"):
        [message] = problems(macro, kind)["__all__"]
        assert message.startswith("A user macro runs on testers")
    assert "status" in problems(macro, "change_status")
    for kind in ("web_request", "add_score"):
        step_kinds()[kind].restore(macro, SETTINGS[kind])


def test_a_status_and_a_field_that_a_macro_uses_are_not_deleted(
    bugs: FeedbackType, macro: Macro
) -> None:
    for kind in ("change_status", "set_field"):
        step_kinds()[kind].restore(macro, SETTINGS[kind]).save()
    with pytest.raises(RestrictedError):
        bugs.statuses.get(name="Closed").delete()
    with pytest.raises(RestrictedError):
        bugs.form_fields.get(key="severity").delete()
    bugs.delete()
    assert not Macro.objects.exists()
