"""A name that people type is there once, as they read it, on every way to save it."""

from __future__ import annotations

import itertools
import unicodedata
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, models, transaction
from django.test import Client
from django.urls import reverse

from feedback.models import (
    ApiKey,
    Community,
    FeedbackType,
    FieldKind,
    FormField,
    Project,
    Status,
    Tester,
)
from feedback.names import first_twin
from logs.privacy import find_tester
from macros import config
from macros.config import Existing
from macros.models import Macro, Secret
from tests import factories

_numbers = itertools.count()
pytestmark = pytest.mark.django_db

SPELLINGS = [
    ("Crash", "cRASH"),
    ("Käse", unicodedata.normalize("NFD", "KÄSE")),
    ("Straße", "STRASSE"),
    ("οδός", "ΟΔΌΣ"),
    ("\uff37\uff29\uff24\uff25", "wide"),
    ("İstanbul", "i\u0307stanbul"),
]
NAMED = [Community, Project, FeedbackType, Status, FormField, ApiKey, Macro, Secret]


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


def named(model: type[models.Model], bugs: FeedbackType, name: str) -> Any:
    """A new row of the model, not saved."""
    community, project = bugs.project.community, bugs.project
    if model is ApiKey:
        key = ApiKey(community=community, name=name)
        key.issue_token()
        return key
    if model is Secret:
        secret = Secret(community=community, name=name)
        secret.conceal("hunter2-hunter2")
        return secret
    rows: dict[type[models.Model], dict[str, Any]] = {
        Community: {},
        Project: {"community": community},
        FeedbackType: {"project": project, "prefix": f"P{next(_numbers)}"},
        Status: {"feedback_type": bugs},
        FormField: {"feedback_type": bugs, "key": f"k{next(_numbers)}"},
        Macro: {"feedback_type": bugs},
    }
    column = "label" if model is FormField else "name"
    return model(**rows[model], **{column: name})


@pytest.mark.parametrize(("stored", "written"), SPELLINGS)
@pytest.mark.parametrize("model", NAMED, ids=lambda model: model.__name__)
def test_a_name_that_looks_the_same_is_taken(
    bugs: FeedbackType, model: type[models.Model], stored: str, written: str
) -> None:
    named(model, bugs, stored).save()
    with pytest.raises(ValidationError, match="of this (name|label)"):
        named(model, bugs, written).full_clean(exclude=["token_hash", "prefix"])
    with pytest.raises(IntegrityError), transaction.atomic():
        named(model, bugs, written).save()
    named(model, bugs, f"{written} 2").save()


def test_user_macros_and_testers_too(bugs: FeedbackType) -> None:
    for owner in (bugs.project, bugs.project.community):
        Macro.at(owner, name="Straße").save()
        with pytest.raises(ValidationError, match="has a user macro of this name"):
            Macro.at(owner, name="STRASSE").full_clean()
    factories.tester(bugs, "zoë@example.com")
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.tester(bugs, "ZOË@example.com")


def test_others_may_have_the_name(bugs: FeedbackType) -> None:
    other = factories.feedback_type()
    for model in (Project, FeedbackType, Status, FormField, ApiKey, Macro, Secret):
        for owner in (bugs, other):
            named(model, owner, "Crash").save()


def page_of(row: models.Model) -> str:
    opts = row._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[row.pk])


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        (Community, "There is a community of this name."),
        (Project, "The community has a project of this name."),
        (FeedbackType, "The project has a type of this name."),
        (ApiKey, "The community has an API key of this name."),
    ],
)
def test_renaming_gets_the_forms_own_sentence(
    client: Client, bugs: FeedbackType, model: type[models.Model], problem: str
) -> None:
    """Where the page does not show whose the row is, too."""
    client.force_login(factories.superuser())
    named(model, bugs, "Straße").save()
    row = named(model, bugs, "Other")
    row.save()
    data = {"name": "STRASSE", "prefix": "OTH"}
    for each in ("statuses", "form_fields"):
        data |= {f"{each}-TOTAL_FORMS": "0", f"{each}-INITIAL_FORMS": "0"}
    response = client.post(page_of(row), data)
    assert response.status_code == 200
    assert [problem] in response.context["errors"]


@pytest.mark.parametrize(
    ("part", "column"), [("statuses", "name"), ("form_fields", "label")]
)
def test_two_new_rows_of_one_form_are_compared(
    client: Client, bugs: FeedbackType, part: str, column: str
) -> None:
    client.force_login(factories.superuser())
    data = {"name": bugs.name, "prefix": bugs.prefix}
    for each in ("statuses", "form_fields"):
        data |= {f"{each}-TOTAL_FORMS": "0", f"{each}-INITIAL_FORMS": "0"}
    data[f"{part}-TOTAL_FORMS"] = "2"
    for number, name in enumerate(["Straße", "STRASSE"]):
        data |= {f"{part}-{number}-{column}": name, f"{part}-{number}-kind": "text"}
        data |= {f"{part}-{number}-position": "1", f"{part}-{number}-key": f"k{number}"}
    shown = client.post(page_of(bugs), data)
    assert shown.status_code == 200
    assert f"Two of them have the same {column}: STRASSE" in shown.content.decode()


def test_two_choices_that_look_the_same_are_refused() -> None:
    question = FormField(label="Kind", kind=FieldKind.CHOICE, choices="Straße\nSTRASSE")
    with pytest.raises(ValidationError, match="'STRASSE' is there twice"):
        question.clean()
    assert first_twin(["a", "b", "A"]) == "A" and first_twin(["a", "b"]) == ""


def test_an_import_takes_a_name_for_the_same(bugs: FeedbackType) -> None:
    macro = factories.macro(bugs, "https://example.com/", name="Straße")
    document: Any = config.export_project(bugs.project)
    document["types"][0]["name"] = bugs.name.upper()
    document["types"][0]["macros"][0]["name"] = "STRASSE"
    with pytest.raises(config.ConfigRefused, match="has a type 'BUG REPORT' already"):
        config.import_document(document, bugs.project)
    made = config.import_document(document, bugs.project, existing=Existing.SKIP)
    assert (made.types, made.skipped) == ([], ["STRASSE"])
    Macro(feedback_type=bugs, name="COPY OF STRASSE").save()
    made = config.import_document(document, bugs.project, existing=Existing.COPY)
    assert [each.name for each in made.macros] == ["Copy 2 of STRASSE"]
    made = config.import_document(document, bugs.project, existing=Existing.REPLACE)
    assert made.replaced == [macro]


def test_commands_take_a_name_for_the_same(
    bugs: FeedbackType, capsys: pytest.CaptureFixture[str]
) -> None:
    factories.macro(bugs, "https://example.com/", name="Straße")
    call_command("export_config", "--project=PHONE BETA", "--macro=STRASSE")
    assert "Straße" in capsys.readouterr().out
    with pytest.raises(CommandError, match="has no macro 'Strasse 2'"):
        call_command("export_config", "--project=phone beta", "--macro=Strasse 2")


def test_a_tester_is_found_by_the_address_in_any_capitals(bugs: FeedbackType) -> None:
    zoe = factories.tester(bugs, "Zoë@example.com")
    assert find_tester(bugs.project.community, "ZOË@EXAMPLE.com") == zoe
    Tester.objects.filter(pk=zoe.pk).update(
        email="erased@invalid", erasure={"values": {"email": "Zoë@example.com"}}
    )
    assert find_tester(bugs.project.community, "zoë@example.com") == zoe
