"""Export, import and clone of a project, in the admin and by commands."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from feedback.access.roles import Role
from feedback.models import FeedbackType, Project
from logs.models import AuditEntry
from macros import config
from macros.models import Macro, Secret
from tests import factories

pytestmark = pytest.mark.django_db

VALUE = "https://hooks.slack.com/very-secret"


@pytest.fixture
def bugs() -> FeedbackType:
    made = factories.feedback_type()
    factories.secret(made, "slack_url", VALUE, own=True)
    factories.macro(made, "((Secret: slack_url))", name="To Slack")
    return made


@pytest.fixture
def subject(bugs: FeedbackType) -> Project:
    owner = bugs.project.community
    return Project.objects.create(community=owner, name="Watch Beta")


@pytest.fixture
def page(bugs: FeedbackType, client: Client) -> Client:
    client.force_login(factories.member(bugs, Role.COMMUNITY_MANAGER, "mia"))
    return client


def url(name: str, project: Project) -> str:
    return reverse(f"admin:feedback_project_{name}", args=[project.pk])


def exported(bugs: FeedbackType) -> str:
    return config.write(config.export_project(bugs.project), "yaml")


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_the_export_is_a_file_without_secrets(
    page: Client, bugs: FeedbackType, form: str
) -> None:
    html = page.get(url("change", bugs.project)).content.decode()
    assert url("export", bugs.project) in html
    response = page.post(url("export", bugs.project), {"format": form})
    text = response.content.decode()
    assert f'filename="phone-beta.{form}"' in response["Content-Disposition"]
    assert config.read(text) == config.export_project(bugs.project)
    assert VALUE not in text
    assert AuditEntry.objects.get(action="exported").actor_name == "mia"


def test_an_import_is_shown_first_and_asks_for_secrets(
    page: Client, bugs: FeedbackType, subject: Project
) -> None:
    where = url("import", subject)
    assert page.get(where).status_code == 200
    data: dict[str, Any] = {"text": exported(bugs), "existing": "refuse"}
    html = page.post(where, data).content.decode()
    assert 'name="secret_slack_url"' in html and "Import with these secrets" in html
    assert not subject.feedback_types.exists()
    again = page.post(where, data | {"confirmed": "x", "secret_slack_url": "a"})
    assert "secrets.slack_url.value: A value has 6 to" in again.content.decode()
    done = page.post(where, data | {"confirmed": "x", "secret_slack_url": VALUE})
    assert done["Location"] == url("change", subject)
    assert subject.macros.get().name == "To Slack"
    assert Secret.objects.get(project=subject).reveal() == VALUE
    assert subject.macros.get().versions.get().actor_name == "mia"
    entry = AuditEntry.objects.get(action="imported")
    assert (entry.actor_name, entry.detail) == (
        "mia",
        "1 feedback type, 1 macro, 1 secret.",
    )


def test_a_file_that_needs_no_secret_is_listed_and_then_imported(
    page: Client, bugs: FeedbackType, subject: Project
) -> None:
    factories.secret(bugs, "slack_url", VALUE)
    where = url("import", subject)
    file = SimpleUploadedFile("config.yaml", exported(bugs).encode())
    html = page.post(where, {"file": file, "existing": "refuse"}).content.decode()
    assert "Feedback type Bug Report" in html and "Macro To Slack" in html
    assert not subject.feedback_types.exists()
    data = {"text": exported(bugs), "existing": "refuse", "confirmed": "Import"}
    assert page.post(where, data).status_code == 302
    assert subject.feedback_types.get().macros.count() == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Choose a file, or paste its text."),
        ("centerhook: {format: 9}", "is of format 9"),
        ("centerhook: {format: 1}\ntypos: []", "typos: Unknown member."),
        ("a: [", "this is not YAML"),
        ("<script>", "it has no members"),
    ],
)
def test_a_file_with_a_fault_says_so(
    page: Client, subject: Project, text: str, message: str
) -> None:
    html = page.post(url("import", subject), {"text": text, "existing": "refuse"})
    assert message in html.content.decode()
    assert "<script>alert" not in html.content.decode()


def test_a_clone_asks_for_the_secrets_that_stay_behind(
    page: Client, bugs: FeedbackType
) -> None:
    where = url("clone", bugs.project)
    html = page.post(where, {"name": "Next Beta"}).content.decode()
    assert 'name="secret_slack_url"' in html
    assert not Project.objects.filter(name="Next Beta").exists()
    done = page.post(where, {"name": "Next Beta", "secret_slack_url": VALUE})
    made = Project.objects.get(name="Next Beta")
    assert done["Location"] == url("change", made)
    assert made.macros.get().name == "To Slack"
    entry = AuditEntry.objects.get(action="cloned")
    assert (entry.actor_name, entry.detail) == ("mia", "From Phone Beta.")


def test_who_manages_the_project_only_imports_and_does_not_clone(
    bugs: FeedbackType, subject: Project, client: Client
) -> None:
    paul = factories.member(bugs, Role.PROJECT_MANAGER, "paul", in_project=True)
    client.force_login(paul)
    assert client.get(url("import", bugs.project)).status_code == 200
    assert client.post(url("clone", bugs.project), {"name": "x"}).status_code == 403
    for name in ("import", "export", "clone"):
        assert client.post(url(name, subject), {"format": "yaml"}).status_code == 404


def test_support_and_strangers_neither_export_nor_import(
    bugs: FeedbackType, client: Client
) -> None:
    other = factories.feedback_type("Ideas", "IDEA")
    people = [
        (factories.member(bugs, Role.SUPPORT, "sam"), 403),
        (factories.member(other, Role.COMMUNITY_MANAGER, "max"), 404),
    ]
    for person, status in people:
        client.force_login(person)
        for name in ("import", "export", "clone"):
            response = client.post(url(name, bugs.project), {"format": "yaml"})
            assert response.status_code == status
    assert Macro.objects.count() == 1


def test_the_commands_move_a_project(
    bugs: FeedbackType, subject: Project, tmp_path: Path
) -> None:
    file, secrets = tmp_path / "config.json", tmp_path / "secrets.json"
    secrets.write_text(json.dumps({"slack_url": VALUE}))
    call_command(
        "export_config",
        *("--project", str(bugs.project_id), "--format", "json", "-o", str(file)),
        stdout=StringIO(),
    )
    assert VALUE not in file.read_text()
    with pytest.raises(CommandError, match="Values are wanted for the secrets slack"):
        call_command("import_config", str(file), "--project", "Watch Beta")
    out = StringIO()
    options = ["--project", "Watch Beta", "--secrets", str(secrets)]
    call_command("import_config", str(file), *options, "--dry-run", stdout=out)
    assert not subject.feedback_types.exists()
    call_command("import_config", str(file), *options, stdout=out)
    assert subject.macros.get().name == "To Slack"
    message = out.getvalue()
    assert (
        "Would be imported" in message
        and "1 macro," in message
        and VALUE not in message
    )


def test_the_commands_say_what_is_wrong(bugs: FeedbackType, tmp_path: Path) -> None:
    project = ["--project", str(bugs.project_id)]
    broken = tmp_path / "broken.yaml"
    broken.write_bytes(b"\xff")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("centerhook: {format: 1}\nx: 1")
    for arguments, message in [
        (["import_config", str(tmp_path / "none"), *project], "can't be read"),
        (["import_config", str(broken), *project], "not text in UTF-8"),
        (["import_config", str(wrong), *project], "x: Unknown member"),
        (["import_config", str(wrong), "--project", "Nowhere"], "no project 'Nowhere'"),
        (["export_config", *project, "--macro", "None"], "no macro 'None'"),
        (["export_config", *project, "--type", "None"], "no feedback type 'None'"),
    ]:
        with pytest.raises(CommandError, match=message):
            call_command(*arguments)


def test_a_broken_file_of_secrets_is_not_repeated(
    bugs: FeedbackType, tmp_path: Path
) -> None:
    secrets = tmp_path / "secrets.json"
    secrets.write_text(f'{{"slack_url": "{VALUE}"')
    file = tmp_path / "config.yaml"
    file.write_text(exported(bugs))
    project = ["--project", str(bugs.project_id), "--secrets", str(secrets)]
    with pytest.raises(CommandError) as refused:
        call_command("import_config", str(file), *project)
    assert "must hold names of secrets" in str(refused.value)
    assert VALUE not in str(refused.value)
