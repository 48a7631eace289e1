"""What is used of a type goes after one more question, which lists what uses it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback.models import FeedbackType, Filter
from macros.models import Event
from tests import factories


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def used(bugs: FeedbackType) -> FeedbackType:
    """Each part is used by something."""
    closed = bugs.statuses.get(name="Closed")
    chosen = factories.saved_filter(
        bugs,
        {"field": "status", "qualifier": "is_one_of", "value": [closed.pk]},
        {
            "conditions": [
                {"field": "field_severity", "qualifier": "is", "value": "Minor"}
            ]
        },
        name="Minor and closed",
    )
    macro = factories.macro(bugs, "https://example.com/", name="Slack")
    body = '{"text": "((Field: App version))"}'
    factories.macro(bugs, "https://example.com/", name="Tagged", body=body)
    factories.schedule(macro, name="Nightly", filter=chosen)
    factories.trigger(
        macro,
        Event.STATUS_CHANGED,
        name="When closed",
        event_details={"to_status": closed.pk},
    )
    factories.trigger(
        macro, Event.FIELD_CHANGED, name="Impact", event_details={"field": "impact"}
    )
    return bugs


def page_of(of: FeedbackType) -> str:
    return reverse("admin:feedback_feedbacktype_change", args=[of.pk])


def form_of(page: Client, of: FeedbackType) -> dict[str, Any]:
    """The form as it is shown."""
    response: Any = page.get(page_of(of))
    data = dict(response.context["adminform"].form.initial)
    for each in response.context["inline_admin_formsets"]:
        formset = each.formset
        data |= {
            f"{formset.prefix}-{name}": value
            for name, value in formset.management_form.initial.items()
        }
        for form in formset.initial_forms:
            data |= {form.add_prefix(name): form[name].value() for name in form.fields}
    for name, value in list(data.items()):
        if value is False or value is None:
            del data[name]
    data["project"] = of.project_id
    return {name: getattr(value, "pk", value) for name, value in data.items()}


def row_of(data: dict[str, Any], prefix: str, pk: int) -> str:
    """The prefix of a row's fields."""
    [name] = [
        name
        for name, value in data.items()
        if name.startswith(prefix) and name.endswith("-id") and str(value) == str(pk)
    ]
    return name.removesuffix("-id")


def problems(response: Any) -> tuple[str, Any]:
    """The sentences, and the formset that asks."""
    assert response.status_code == 200
    [formset] = [
        each.formset
        for each in response.context["inline_admin_formsets"]
        if each.formset.removal
    ]
    return " ".join(formset.non_form_errors()), formset


def test_a_status_in_use_is_removed_after_one_more_question(
    page: Client, used: FeedbackType
) -> None:
    closed = used.statuses.get(name="Closed")
    data = form_of(page, used)
    data[f"{row_of(data, 'statuses', closed.pk)}-DELETE"] = "on"
    response = page.post(page_of(used), data)
    sentences, formset = problems(response)
    assert (
        "Status Closed is used by: Filter Minor and closed; Schedule Nightly of Slack,"
        " by the filter Minor and closed; Trigger When closed of Slack." in sentences
    )
    assert formset.removal_field in response.content.decode()
    assert used.statuses.filter(pk=closed.pk).exists()
    data[formset.removal_field] = formset.removal
    assert page.post(page_of(used), data).status_code == 302
    assert not used.statuses.filter(pk=closed.pk).exists()
    # What it was used by is shown as what can't run.
    text = page.get(reverse("admin:feedback_filter_changelist")).content.decode()
    assert "Lost a part: matches nothing, so what selects by it does not run" in text


def test_what_is_used_by_more_by_then_is_asked_anew(
    page: Client, used: FeedbackType
) -> None:
    closed = used.statuses.get(name="Closed")
    data = form_of(page, used)
    data[f"{row_of(data, 'statuses', closed.pk)}-DELETE"] = "on"
    _, formset = problems(page.post(page_of(used), data))
    data[formset.removal_field] = formset.removal
    lost = {"field": "status", "qualifier": "is", "value": closed.pk}
    factories.saved_filter(used.project, lost, name="Later", subject_kind="feedback")
    sentences, _ = problems(page.post(page_of(used), data))
    assert "Filter Later" in sentences


@pytest.mark.parametrize(
    ("key", "changes", "expected"),
    [
        ("severity", {"DELETE": "on"}, "Form field Severity is used by: Filter Minor"),
        ("severity", {"key": "weight"}, "Key severity of Severity is used by: Filter"),
        (
            "severity",
            {"choices": "Major\nCritical"},
            "Choice Minor of Severity is used by: Filter Minor and closed",
        ),
        ("impact", {"DELETE": "on"}, "Form field Impact is used by: Trigger Impact"),
        ("app_version", {"DELETE": "on"}, "App version is used by: Macro Tagged."),
        (
            "app_version",
            {"label": "Build"},
            "Label App version is used by: Macro Tagged",
        ),
    ],
)
def test_a_question_a_key_a_choice_and_a_label_in_use_are_asked_about(
    page: Client,
    used: FeedbackType,
    key: str,
    changes: dict[str, str],
    expected: str,
) -> None:
    data = form_of(page, used)
    row = row_of(data, "form_fields", used.form_fields.get(key=key).pk)
    data |= {f"{row}-{name}": value for name, value in changes.items()}
    sentences, formset = problems(page.post(page_of(used), data))
    assert expected in sentences
    data[formset.removal_field] = formset.removal
    assert page.post(page_of(used), data).status_code == 302


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("severity", {"choices": "Minor\nMajor"}),
        ("severity", {"label": "Weight"}),
        ("page", {"DELETE": "on"}),
        ("app_version", {"help_text": "As the page says"}),
    ],
)
def test_what_nothing_uses_is_not_asked_about(
    page: Client, used: FeedbackType, key: str, changes: dict[str, str]
) -> None:
    data = form_of(page, used)
    row = row_of(data, "form_fields", used.form_fields.get(key=key).pk)
    data |= {f"{row}-{name}": value for name, value in changes.items()}
    assert page.post(page_of(used), data).status_code == 302


def test_packages_and_lookups_with_its_column_are_listed(
    page: Client, bugs: FeedbackType
) -> None:
    own = bugs.project
    factories.package(bugs, "id", "field_severity", name="Weekly")
    factories.package(own, "field_severity", name="Wide")
    factories.package(own.community, "field_severity", name="Widest")
    factories.package(bugs, "id", "field_impact", name="Another")
    factories.lookup(bugs, "field_severity", name="A bug")
    ideas = factories.feedback_type("Idea", "IDEA")
    factories.package(ideas, "field_severity", name="Elsewhere")
    question = bugs.form_fields.get(key="severity")
    data = form_of(page, bugs)
    data[f"{row_of(data, 'form_fields', question.pk)}-DELETE"] = "on"
    sentences, formset = problems(page.post(page_of(bugs), data))
    assert (
        "Form field Severity is used by: Data package Weekly; Data package Wide; Data"
        " package Widest; Record lookup A bug. " in sentences
    )
    data[formset.removal_field] = formset.removal
    assert page.post(page_of(bugs), data).status_code == 302


def test_what_took_answers_of_the_former_kind_is_listed(
    page: Client, bugs: FeedbackType
) -> None:
    more = {"field": "field_impact", "qualifier": "greater", "value": 3}
    same = {"field": "field_impact", "qualifier": "is", "value": 3}
    for name, condition in {"Above": more, "Equal": same}.items():
        factories.saved_filter(bugs, condition, name=name)
    factories.package(bugs, "field_impact", name="Numbers")
    factories.package(bugs, "id", name="Another")
    factories.lookup(bugs, "field_impact", name="A bug")
    data = form_of(page, bugs)
    row = row_of(data, "form_fields", bugs.form_fields.get(key="impact").pk)
    data[f"{row}-kind"] = "text"
    sentences, formset = problems(page.post(page_of(bugs), data))
    assert (
        "Kind of Impact is used by: Filter Above; Data package Numbers; Record lookup"
        " A bug. " in sentences
    )
    data[formset.removal_field] = formset.removal
    assert page.post(page_of(bugs), data).status_code == 302


def test_steps_that_need_it_keep_it(page: Client, used: FeedbackType) -> None:
    closed = used.statuses.get(name="Closed")
    macro = factories.macro(used, name="Closing")
    factories.steps(macro, {"kind": "change_status", "status": "Closed"})
    data = form_of(page, used)
    data[f"{row_of(data, 'statuses', closed.pk)}-DELETE"] = "on"
    sentences, formset = problems(page.post(page_of(used), data))
    assert "Macro Closing" in sentences
    data[formset.removal_field] = formset.removal
    assert page.post(page_of(used), data).status_code == 200
    assert used.statuses.filter(pk=closed.pk).exists()


def test_a_step_that_sets_a_choice_uses_it(page: Client, bugs: FeedbackType) -> None:
    macro = factories.macro(bugs, name="Downgrade")
    factories.steps(macro, {"kind": "set_field", "field": "severity", "value": "Minor"})
    data = form_of(page, bugs)
    row = row_of(data, "form_fields", bugs.form_fields.get(key="severity").pk)
    data[f"{row}-choices"] = "Major\nCritical"
    sentences, _ = problems(page.post(page_of(bugs), data))
    assert "Choice Minor of Severity is used by: Macro Downgrade." in sentences


def deletion(page: Client, row: Any) -> str:
    opts = row._meta
    name = f"admin:{opts.app_label}_{opts.model_name}_delete"
    return page.get(reverse(name, args=[row.pk])).content.decode()


def test_the_page_of_a_deletion_lists_what_uses_it(
    page: Client, used: FeedbackType
) -> None:
    macro = used.macros.get(name="Slack")
    text = deletion(page, macro)
    assert "Deleted with it: Trigger When closed of Slack." in text
    assert "Deleted with it: Schedule Nightly of Slack." in text
    wide = {"field": "type", "qualifier": "is", "value": used.pk}
    factories.saved_filter(used.project, wide, name="Wide", subject_kind="feedback")
    assert "is used by: Filter Wide. It does not run then." in deletion(page, used)
    own = {"field": "project", "qualifier": "is", "value": used.project_id}
    factories.saved_filter(used.project.community, own, name="Theirs")
    assert "is used by: Filter Theirs. It does not run" in deletion(page, used.project)


def test_a_tag_in_a_template_with_faults_counts(
    page: Client, bugs: FeedbackType
) -> None:
    macro = factories.macro(bugs, "https://example.com/", name="Odd")
    step = macro.steps.get().concrete
    type(step).objects.filter(pk=step.pk).update(  # type: ignore[attr-defined]
        body="((Titel)) (( field : app_version|truncate:3))"
    )
    data = form_of(page, bugs)
    row = row_of(data, "form_fields", bugs.form_fields.get(key="app_version").pk)
    sentences, _ = problems(page.post(page_of(bugs), {**data, f"{row}-DELETE": "on"}))
    assert "Macro Odd" in sentences
    assert not Filter.objects.exists()
