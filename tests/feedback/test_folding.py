"""Names and addresses are compared as people do, and alike on both databases."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import TextField, Value
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from feedback.forms import answer_from
from feedback.models import Feedback, FeedbackType, Status, Tester
from feedback.names import did_you_mean, fold, normalise
from feedback.selection.folding import Folded
from macros.tags import normalise as normalise_tag
from macros.tags.names import nearest
from tests import factories

pytestmark = pytest.mark.django_db

# What is stored, and how somebody may write it.
SPELLINGS = [
    ("Crash", "cRASH"),
    ("Ärger", "ärger"),
    ("ärger", "ÄRGER"),
    (unicodedata.normalize("NFD", "Käse"), "Käse"),
    ("Käse", unicodedata.normalize("NFD", "KÄSE")),
    ("Straße", "STRASSE"),
    ("STRASSE", "straße"),
    ("ΟΔΟΣ", "οδος"),
    ("οδός", "ΟΔΌΣ"),
    ("ＷＩＤＥ", "wide"),
    ("ﬁle", "File"),
    ("Ёлка", "ёлка"),
    ("İstanbul", "i\u0307stanbul"),
    ("zero\u200bwidth", "Zerowidth"),
    ("soft\u00adhyphen", "softhyphen"),
    ("100%_sure", "100%_SURE"),
]


@pytest.mark.parametrize(("stored", "written"), SPELLINGS)
def test_one_name_however_it_is_written(stored: str, written: str) -> None:
    assert fold(stored) == fold(written)
    assert normalise(f" {stored}-x") == normalise(f"{written}_X")
    assert normalise_tag is normalise


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_the_database_folds_every_letter_as_python_does() -> None:
    letters = [
        letter
        for letter in map(chr, range(1, sys.maxunicode + 1))
        # PostgreSQL and Python may know letters of different years.
        if unicodedata.category(letter) not in ("Cs", "Cn", "Co")
        and unicodedata.ucd_3_2_0.category(letter) != "Cn"
    ]
    for start in range(0, len(letters), 5000):
        text = "\n".join(letters[start : start + 5000])
        database = folded_by_the_database(text)
        wrong = [
            (ours, theirs)
            for ours, theirs in zip(
                fold(text).split("\n"), database.split("\n"), strict=True
            )
            if ours != theirs
        ]
        assert wrong == []


def folded_by_the_database(text: str) -> str:
    with connection.cursor() as cursor:
        expression = Folded(Value(text, output_field=TextField()))
        compiler = Feedback.objects.all().query.get_compiler(connection=connection)
        resolved = expression.resolve_expression(compiler.query)
        sql, params = compiler.compile(resolved)
        cursor.execute(f"SELECT {sql}", params)  # noqa: S608 - our own expression
        matches: str = cursor.fetchone()[0]
    return matches


@pytest.fixture
def page() -> Client:
    page = Client()
    page.force_login(factories.superuser())
    return page


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


@pytest.mark.pages
@pytest.mark.parametrize(("stored", "written"), SPELLINGS)
def test_every_search_finds_it(
    bugs: FeedbackType, page: Client, stored: str, written: str
) -> None:
    tester = factories.tester(bugs)
    Tester.objects.filter(pk=tester.pk).update(last_name=stored)
    factories.ticket(bugs, title=f"A {stored} b", submitter=tester)
    factories.ticket(bugs, title="Other", description="")
    for name in ("feedback_feedback", "feedback_tester"):
        url = reverse(f"admin:{name}_changelist")
        assert page.get(url, {"search": written}).context["cl"].result_count == 1
    for path, parameter in (
        ("feedback", "search"),
        ("feedback", "submitter"),
        ("testers", "search"),
    ):
        matches = page.get(f"/api/v1/{path}/", {parameter: written}).json()
        assert len(matches["results"]) == 1, (path, parameter)


@pytest.mark.parametrize(("stored", "written"), SPELLINGS)
def test_statuses_types_and_projects_are_named_by_it(
    bugs: FeedbackType, page: Client, stored: str, written: str
) -> None:
    ticket = factories.ticket(bugs)
    Status.objects.filter(pk=ticket.status_id).update(name=stored)
    type(bugs).objects.update(name=stored)
    type(bugs.project).objects.update(name=stored)
    for parameter in ("status", "type", "project"):
        matches = page.get("/api/v1/feedback/", {parameter: written}).json()
        assert len(matches["results"]) == 1, (parameter, matches)


@pytest.mark.parametrize(("stored", "written"), SPELLINGS)
def test_choices_are_answered_by_it(
    bugs: FeedbackType, page: Client, stored: str, written: str
) -> None:
    bugs.form_fields.filter(key="severity").update(choices=f"Other\n{stored}")
    factories.ticket(bugs, form_values={"severity": stored})
    matches = page.get("/api/v1/feedback/", {"field_SEVERITY": written}).json()
    assert len(matches["results"]) == 1
    question = bugs.form_fields.get(key="severity")
    assert answer_from(question, written) == stored


@pytest.mark.parametrize(("stored", "written"), SPELLINGS[1:5])
def test_external_data_and_secrets_are_named_by_it(
    bugs: FeedbackType, page: Client, stored: str, written: str
) -> None:
    factories.ticket(bugs, external_data={normalise(stored): "A"})
    matches = page.get("/api/v1/feedback/", {f"external_{written}": "A"}).json()
    assert len(matches["results"]) == 1
    factories.secret(bugs, unicodedata.normalize("NFC", stored), "s3cret-value")
    template = f"((Secret: {written})) ((External: {written}))"
    macro = factories.macro(bugs, "https://a.example/", headers=f"X: {template}")
    macro.steps.get().full_clean()


def test_a_testers_address_is_one_persons_whatever_the_capitals(
    bugs: FeedbackType,
) -> None:
    community = bugs.project.community
    Tester.objects.create(community=community, email="Zoe@Bücher.example")
    for email in ("zoe@bücher.example", "ZOE@BÜCHER.example"):
        twin = Tester(community=community, email=email)
        with pytest.raises(ValidationError, match="has a tester of this e-mail"):
            twin.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        Tester.objects.create(community=community, email="ZOE@Bücher.example")
    Tester.objects.get(email__iexact="zoe@BÜCHER.example").full_clean()


@pytest.mark.parametrize(("stored", "written"), SPELLINGS)
def test_what_looks_the_same_is_never_meant(stored: str, written: str) -> None:
    assert did_you_mean(written, [stored]) == ""
    assert nearest(written, [stored]) is None
    assert did_you_mean(f"{written}x", [stored]) == f" Did you mean '{stored}'?"
