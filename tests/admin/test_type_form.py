"""The form of a feedback type: its statuses and its questions, each as one list."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from feedback.models import (
    USUAL_STATUSES,
    FeedbackType,
    FormField,
    Status,
    StatusColour,
)
from logs.models import AuditEntry
from macros import config
from tests import factories
from tests.admin.test_untouched_forms import sent_back

ADD = reverse("admin:feedback_feedbacktype_add")


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


def page_of(made: FeedbackType) -> str:
    return reverse("admin:feedback_feedbacktype_change", args=[made.pk])


def new(page: Client, bugs: FeedbackType, **edited: Any) -> Any:
    named = {"project": bugs.project_id, "name": "Idea", "prefix": "IDEA"}
    return page.post(ADD, sent_back(page, ADD, **{**named, **edited}))


def statuses_of(made: FeedbackType) -> list[dict[str, Any]]:
    return [*made.statuses.values("name", "colour", "is_open")]


def text_of(response: Any) -> str:
    shown: str = response.content.decode()
    return shown


def test_a_new_type_has_the_usual_statuses_unless_others_are_typed(
    page: Client, bugs: FeedbackType
) -> None:
    assert new(page, bugs).status_code == 302
    assert statuses_of(FeedbackType.objects.get(name="Idea")) == [*USUAL_STATUSES]
    others = {"name": "Praise", "prefix": "PRAISE", "statuses-0-name": "Fresh"}
    assert new(page, bugs, **others).status_code == 302
    names = [each["name"] for each in statuses_of(FeedbackType.objects.last())]  # type: ignore[arg-type]
    assert names == ["Fresh", "In progress", "Closed"]


def test_no_type_is_left_without_a_status(page: Client, bugs: FeedbackType) -> None:
    removed = {f"statuses-{n}-DELETE": "on" for n in range(3)}
    assert "needs a status" in text_of(new(page, bugs, **removed))
    none = {"statuses-TOTAL_FORMS": "0"}
    assert "needs a status" in text_of(new(page, bugs, **none))
    assert FeedbackType.objects.count() == 1
    typed = sent_back(page, page_of(bugs), **removed)
    assert "needs a status" in text_of(page.post(page_of(bugs), typed))
    assert bugs.statuses.count() == 2


@pytest.mark.parametrize("statuses", [{}, {"statuses": []}])
def test_a_file_that_names_no_statuses_makes_the_usual_ones(
    bugs: FeedbackType, statuses: dict[str, Any]
) -> None:
    document = config.export_project(bugs.project)
    del document["types"][0]["statuses"]
    document["types"][0] |= {"name": "Idea", "prefix": "IDEA", **statuses}
    document["types"][0] |= {"macros": [], "filters": []}
    config.import_document(document, bugs.project)
    assert statuses_of(FeedbackType.objects.get(name="Idea")) == [*USUAL_STATUSES]


def test_colours_are_kept_by_files_and_clones_and_refused_if_unknown(
    bugs: FeedbackType,
) -> None:
    bugs.statuses.update(colour=StatusColour.PINK)
    made = config.clone_project(bugs.project, "Copy", factories.superuser("olivia"))
    assert {
        *Status.objects.filter(feedback_type__project=made).values_list("colour")
    } == {("pink",)}
    document = config.export_project(bugs.project)
    document["types"][0] |= {"name": "Idea", "prefix": "IDEA"}
    document["types"][0]["statuses"][0]["colour"] = "ultraviolet"
    with pytest.raises(config.ConfigRefused, match="'ultraviolet' is not a valid"):
        config.import_document(document, bugs.project)


def test_statuses_that_get_one_position_keep_their_order_and_get_their_own(
    page: Client, bugs: FeedbackType
) -> None:
    typed = {"statuses-0-position": "5", "statuses-1-position": "5"}
    posted = sent_back(page, page_of(bugs), **typed)
    assert page.post(page_of(bugs), posted).status_code == 302
    rows = bugs.statuses.values_list("name", "position")
    assert [*rows] == [("New", 1), ("Closed", 2)]
    before = AuditEntry.objects.count()
    assert page.post(page_of(bugs), sent_back(page, page_of(bugs))).status_code == 302
    assert AuditEntry.objects.count() == before


def test_a_question_without_a_position_comes_last(
    page: Client, bugs: FeedbackType
) -> None:
    first = bugs.form_fields.first()
    posted = sent_back(page, page_of(bugs), **{"form_fields-0-position": ""})
    assert page.post(page_of(bugs), posted).status_code == 302
    assert bugs.form_fields.last() == first
    positions = [*bugs.form_fields.values_list("position", flat=True)]
    assert len({*positions}) == len(positions)


def test_the_line_of_a_question_says_what_it_asks_for(
    page: Client, bugs: FeedbackType
) -> None:
    shown = text_of(page.get(page_of(bugs)))
    assert "Choice · Minor, Major, Critical · in the list" in shown


def test_choices_of_a_kind_that_offers_none_are_kept_and_ignored(
    page: Client, bugs: FeedbackType
) -> None:
    at = [*bugs.form_fields.values_list("key", flat=True)].index("severity")
    edited = {
        f"form_fields-{at}-kind": "text",
        f"form_fields-{at}-choices": "Same\nSame",
    }
    posted = sent_back(page, page_of(bugs), **edited)
    response = page.post(page_of(bugs), posted)
    if response.status_code == 200:  # It asks, since choices are gone.
        [removal] = [
            each.formset.removal
            for each in response.context["inline_admin_formsets"]
            if each.formset.removal
        ]
        posted["form_fields-removal"] = removal
        response = page.post(page_of(bugs), posted)
    assert response.status_code == 302
    severity = bugs.form_fields.get(key="severity")
    assert (severity.kind, severity.choices) == ("text", "Same\nSame")


def test_sixty_statuses_and_two_hundred_questions_are_one_page(
    page: Client, bugs: FeedbackType
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert page.get(page_of(bugs)).status_code == 200
        return len(asked)

    few = queries()
    Status.objects.bulk_create(
        Status(feedback_type=bugs, name=f"状態 {n} " + "W" * 30, position=n)
        for n in range(3, 61)
    )
    FormField.objects.bulk_create(
        FormField(feedback_type=bugs, label=f"Q{n}", key=f"q{n}", position=n + 100)
        for n in range(192)
    )
    assert queries() == few
    posted = sent_back(page, page_of(bugs), **{"statuses-59-position": "0"})
    assert page.post(page_of(bugs), posted).status_code == 302
    assert bugs.statuses.count() == 60 and bugs.form_fields.count() == 200
    first = bugs.statuses.first()
    assert first and first.name.startswith("状態 60")
