"""The reference says what the catalogue has, in docs and in the admin."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from feedback.access.roles import Role
from macros.tags import CATALOGUES, FILTERS, NAMESPACES
from macros.tags.reference import filter_rows, headline, markdown
from tests import factories

DOCS = Path(__file__).resolve().parents[2] / "docs" / "tags.md"


def test_the_docs_are_those_of_this_catalogue() -> None:
    assert DOCS.read_text() == markdown(), "run: manage.py tag_reference > docs/tags.md"


def test_every_tag_family_and_filter_is_in_it() -> None:
    text = markdown()
    for subject, tags in CATALOGUES.items():
        part = text.partition(f"## {headline(subject)}\n")[2].partition("\n## ")[0]
        for tag in tags.values():
            assert f"| `{tag}` | {tag.meaning}" in part
        assert ("| `((Field: Severity))` |" in part) is (subject == "feedback")
    for namespace in NAMESPACES.values():
        assert namespace.sample in text
    for name in FILTERS:
        assert f"| `{name}` |" in text


def test_a_bar_in_an_example_does_not_end_a_cell() -> None:
    rows = [line for line in markdown().splitlines() if line.startswith("| `truncate`")]
    assert rows[0].replace("\\|", "").count("|") == 5


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("tag_reference")
    assert capsys.readouterr().out == markdown()


@pytest.mark.django_db
def test_the_admin_shows_it_with_the_types_own_fields_and_secrets() -> None:
    bugs, others = factories.feedback_type(), factories.feedback_type("Hush", "HUSH")
    factories.secret(bugs, "teams url")
    factories.secret(others, "foreign key")
    client = Client()
    client.force_login(factories.member(bugs, Role.OBSERVER))
    url = reverse("admin:macros_macro_tags")

    def shown(of: str) -> str:
        return client.get(url, {"of": of}).content.decode()

    page = shown(f"feedbacktype-{bugs.pk}")
    community, project = bugs.project.community, bugs.project
    testers = shown(f"community-{community.pk}")
    foreign = shown(f"feedbacktype-{others.pk}")
    foreign += shown(f"project-{others.project_id}") + shown("x") + shown("project-")
    bare = client.get(url).content.decode()

    for name, argument, meaning, example in filter_rows():
        assert escape(meaning) in bare and escape(example) in bare, (name, argument)
    assert "((Field: Severity))" in page and "((Secret: teams_url))" in page
    assert "teams_url" not in bare
    assert "((Tester URL))" in testers and "((Secret: teams_url))" in testers
    assert "((Severity" not in testers and "((Reference))" not in testers
    assert "In a macro that runs on testers" in shown(f"project-{project.pk}")
    assert "foreign_key" not in page + foreign + bare and "Hush" not in foreign


@pytest.mark.django_db
def test_who_sees_no_macro_sees_no_reference(client: Client) -> None:
    client.force_login(User.objects.create_user("nora", is_staff=True))
    assert client.get(reverse("admin:macros_macro_tags")).status_code == 403
