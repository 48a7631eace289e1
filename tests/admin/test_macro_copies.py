"""Duplicate a macro, and export one as a file."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback.models import ApiKey, FeedbackType
from logs.models import AuditEntry
from macros import config
from macros.models import Macro
from tests import factories
from tests.factories import AN_EMAIL, ONE_OF_EACH_CHANGE


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def macro(bugs: FeedbackType) -> Macro:
    made = factories.macro(bugs, "https://a.example/", name="Post", ladder="5 s")
    return factories.steps(made, *ONE_OF_EACH_CHANGE, AN_EMAIL)


def post(page: Client, macro: Macro, what: str) -> Any:
    url = reverse(f"admin:macros_macro_{what}", args=[macro.pk])
    assert page.get(url).status_code == 302
    return page.post(url)


def test_a_duplicate_is_the_same_under_a_free_name(page: Client, macro: Macro) -> None:
    factories.trigger(macro)
    for name in ("Copy of Post", "Copy of Post 2"):
        response = post(page, macro, "duplicate")
        made = Macro.objects.get(name=name)
        assert response.url == reverse("admin:macros_macro_change", args=[made.pk])
        same = {**config.macro_document(macro), "name": name}
        assert config.macro_document(made) == same
        assert not made.triggers.exists()
    entry = AuditEntry.objects.filter(action="cloned").first()
    assert entry and "Duplicated from Post." in entry.detail


def test_a_long_name_leaves_room_for_what_tells_them_apart(
    page: Client, macro: Macro
) -> None:
    Macro.objects.filter(pk=macro.pk).update(name="名" * 100)
    for _ in range(2):
        assert post(page, macro, "duplicate").status_code == 302
    names = [*Macro.objects.exclude(pk=macro.pk).values_list("name", flat=True)]
    assert sorted(map(len, names)) == [100, 100] and len(set(names)) == 2


def test_a_locked_macro_is_not_duplicated_and_the_page_says_why(
    page: Client, macro: Macro
) -> None:
    ApiKey.objects.all().delete()
    shown = page.get(post(page, macro, "duplicate").url).content.decode()
    assert "Nothing was duplicated." in shown and "no valid API key" in shown
    assert Macro.objects.count() == 1


def test_an_exported_macro_can_be_imported(
    page: Client, macro: Macro, bugs: FeedbackType
) -> None:
    factories.macro(bugs, name="Other")
    response = post(page, macro, "export")
    assert response["Content-Disposition"] == 'attachment; filename="post.yaml"'
    document = config.read(response.content.decode())
    assert [each["name"] for each in document["types"][0]["macros"]] == ["Post"]
    other = factories.feedback_type("Idea", "IDEA").project
    made = config.import_document(document, other)
    assert [str(each) for each in made.macros] == ["Post"]
    assert AuditEntry.objects.filter(action="exported").exists()


def test_a_user_macro_of_a_community_is_exported_without_a_type(
    page: Client, bugs: FeedbackType
) -> None:
    macro = factories.macro(bugs.project.community, "https://a.example/", name="Hello")
    document = config.read(post(page, macro, "export").content.decode())
    assert document["types"] == []
    [only] = document["user_macros"]
    assert only["name"] == "Hello"
    made = config.import_document(document, bugs.project)
    assert [each.runs_on for each in made.macros] == [f"testers of {bugs.project}"]
