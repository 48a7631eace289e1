"""Columns of packages: their names and types stay, and what is lost is named."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from feedback.models import DataPackage, FeedbackType, FieldKind
from feedback.packages.tables import PackageBroken, columns_for, opened
from feedback.packages.values import ColumnType
from tests import factories

pytestmark = pytest.mark.database


def rows_in(package: DataPackage) -> list[list[Any]]:
    return [row for _, row in opened(package).values()]


def test_every_question_is_a_column_of_its_own_type(bugs: FeedbackType) -> None:
    catalogue = columns_for(factories.package(bugs))
    types = {each.name: each.type for each in catalogue.columns if each.group == "Form"}
    assert types == {
        "field_severity": ColumnType.TEXT,
        "field_platform": ColumnType.LIST,
        "field_reproducible": ColumnType.BOOLEAN,
        "field_impact": ColumnType.NUMBER,
        "field_found_on": ColumnType.DATE,
        "field_page": ColumnType.TEXT,
        "field_app_version": ColumnType.TEXT,
        "field_steps": ColumnType.TEXT,
    }


def test_a_renamed_question_keeps_its_column(bugs: FeedbackType) -> None:
    factories.ticket(bugs, form_values={"impact": 3})
    package = factories.package(bugs, "field_impact")
    bugs.form_fields.filter(key="impact").update(label="How bad is it?")
    assert rows_in(package) == [[3]]
    assert package.columns == [{"name": "field_impact", "type": "number"}]


def test_a_deleted_question_is_named(bugs: FeedbackType) -> None:
    package = factories.package(bugs, "id", "field_impact")
    bugs.form_fields.filter(key="impact").delete()
    with pytest.raises(PackageBroken) as broken:
        opened(package)
    [fault] = broken.value.faults
    assert fault.path == ("columns", 1)
    assert fault.sentence.startswith(
        "The column 'field_impact' can't be read: No form has this field any more."
    )


def test_a_question_of_another_kind_is_named(bugs: FeedbackType) -> None:
    package = factories.package(bugs, "field_impact")
    bugs.form_fields.filter(key="impact").update(kind=FieldKind.TEXT)
    with pytest.raises(PackageBroken) as broken:
        opened(package)
    assert str(broken.value) == (
        "The column 'field_impact' can't be read: 'Impact' is now of the type text,"
        " and was number."
    )


def test_a_broken_filter_is_named(bugs: FeedbackType) -> None:
    saved = factories.saved_filter(
        bugs, {"field": "field_impact", "qualifier": "is", "value": 3}
    )
    package = factories.package(bugs, filter=saved)
    bugs.form_fields.filter(key="impact").delete()
    with pytest.raises(PackageBroken) as broken:
        opened(package)
    assert [each.path for each in broken.value.faults] == [("filter",)]


def test_a_package_of_a_type_has_its_tickets_only(bugs: FeedbackType) -> None:
    other = factories.feedback_type()
    ticket = factories.ticket(bugs)
    factories.ticket(other)
    assert rows_in(factories.package(bugs, "id")) == [[ticket.pk]]
    whole = factories.package(bugs.project.community, "id")
    assert rows_in(whole) == [[ticket.pk]]


def test_a_filter_selects(bugs: FeedbackType) -> None:
    wanted = factories.ticket(bugs, form_values={"impact": 3})
    factories.ticket(bugs, form_values={"impact": 4})
    saved = factories.saved_filter(
        bugs, {"field": "field_impact", "qualifier": "is", "value": 3}
    )
    assert rows_in(factories.package(bugs, "id", filter=saved)) == [[wanted.pk]]


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ([], "Choose between 1 and 200 columns."),
        (["titel"], "There is no such column. Did you mean 'title'?"),
        (["id", "id"], "The column 'id' is there twice."),
        ([{"name": "id", "type": "text"}], "now of the type whole number"),
        (["search"], "There is no such column."),
        ([["id"]], "There is no such column."),
        ([{"name": "id", "type": "no type"}], "and was another"),
        ("id", "Choose between"),
        (["id\0"], "There is no such column."),
    ],
)
def test_other_columns_are_refused(
    bugs: FeedbackType, columns: object, sentence: str
) -> None:
    package = factories.package(bugs)
    package.columns = columns
    with pytest.raises(ValidationError) as refused:
        package.full_clean()
    assert sentence in " ".join(refused.value.message_dict["columns"])
