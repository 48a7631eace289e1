"""Export, import and clone on a project's page."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from feedback.models import FeedbackType, Project
from feedback.roles import Role
from logs.models import Action, AuditEntry
from macros import documents
from macros.models import Macro, Secret
from tests import factories

VALUE = "https://hooks.slack.com/services/T0/B0/very-secret"


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    made = factories.feedback_type()
    factories.secret(made, "slack_url", VALUE, hosts="hooks.slack.com")
    factories.macro(made, "((Secret: slack_url))", name="To Slack")
    return made


@pytest.fixture
def other(db: None) -> Project:
    """In another community, without types."""
    made = factories.feedback_type("Ideas", "IDEA")
    made.delete()
    return made.project


def url_of(page: str, project: Project) -> str:
    return reverse(f"admin:feedback_project_{page}", args=[project.pk])


def exported(bugs: FeedbackType) -> str:
    return documents.write(documents.export_project(bugs.project), "yaml")


def text_of(answer: Any) -> str:
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_a_file_is_downloaded_and_told_of(
    page: Client, bugs: FeedbackType, form: str
) -> None:
    shown = text_of(
        page.get(reverse("admin:feedback_project_change", args=[bugs.project_id]))
    )
    assert "Export as YAML" in shown
    answer = page.post(url_of("export", bugs.project), {"format": form})
    name = f'attachment; filename="phone-beta.{form}"'
    assert answer.headers["Content-Disposition"] == name
    text = text_of(answer)
    assert VALUE not in text
    assert yaml.safe_load(text)["types"][0]["name"] == "Bug Report"
    assert AuditEntry.objects.filter(action=Action.EXPORTED).count() == 1


def test_an_export_by_a_link_or_of_no_format_is_none(
    page: Client, bugs: FeedbackType
) -> None:
    for answer in (
        page.get(url_of("export", bugs.project) + "?format=yaml"),
        page.post(url_of("export", bugs.project), {"format": "exe"}),
    ):
        assert answer.status_code == 302
    assert not AuditEntry.objects.filter(action=Action.EXPORTED).exists()


def test_a_file_is_shown_before_it_is_imported(
    page: Client, bugs: FeedbackType, other: Project
) -> None:
    url = url_of("import", other)
    assert 'type="file"' in text_of(page.get(url))
    file = SimpleUploadedFile("beta.yaml", exported(bugs).encode())
    asked = text_of(page.post(url, {"file": file, "existing": "refuse"}))
    assert 'name="secret_slack_url"' in asked
    assert not other.feedback_types.exists() and not other.secrets.exists()
    sent = {"text": exported(bugs), "existing": "refuse"}
    planned = text_of(page.post(url, {**sent, "secret_slack_url": VALUE}))
    assert "Feedback type Bug Report is new." in planned
    assert "It sends to an address that is a tag. Secrets it uses:" in planned
    assert VALUE not in planned
    assert not other.feedback_types.exists() and not other.secrets.exists()
    done = page.post(url, {**sent, "secret_slack_url": VALUE, "confirmed": "1"})
    assert done.status_code == 302
    assert other.feedback_types.get().macros.get().name == "To Slack"
    secret = Secret.objects.get(project=other)
    assert (secret.reveal(), secret.hosts) == (VALUE, "hooks.slack.com")
    entry = AuditEntry.objects.get(action=Action.IMPORTED)
    assert (entry.object_id, entry.actor_name) == (other.pk, "olivia")
    assert entry.detail == "1 feedback type, 1 macro, 1 secret."


def test_what_is_wrong_is_listed_and_nothing_is_made(
    page: Client, bugs: FeedbackType
) -> None:
    target = Project.objects.create(community=bugs.project.community, name="Watch")
    wrong = exported(bugs).replace("prefix:", "prefx:").replace("is_open:", "<b>:", 1)
    data = {"text": wrong, "existing": "refuse", "confirmed": "1"}
    text = text_of(page.post(url_of("import", target), data))
    assert "Nothing was imported." in text
    assert "types[0].prefx: Unknown member. Did you mean prefix?" in text
    assert "&lt;b&gt;" in text and "<b>:" not in text
    newer = {**data, "text": exported(bugs).replace("format: 1", "format: 2")}
    text = text_of(page.post(url_of("import", target), newer))
    assert "is of format 2, and this CenterHook reads up to 1" in text
    assert not target.feedback_types.exists()


def test_a_file_that_is_no_text_or_nothing_at_all_is_refused(
    page: Client, other: Project
) -> None:
    url = url_of("import", other)
    file = SimpleUploadedFile("beta.yaml", b"\xff\xfe\0")
    text = text_of(page.post(url, {"file": file, "existing": "refuse"}))
    assert "The file is not text in UTF-8." in text
    assert "Choose a file, or paste" in text_of(page.post(url, {"existing": "refuse"}))


def test_a_clone_asks_for_the_secrets_of_the_project(
    page: Client, bugs: FeedbackType
) -> None:
    factories.secret(bugs, "own", own=True)
    factories.macro(bugs, "https://a.example/", headers="X-Own: ((Secret: own))")
    factories.ticket(bugs)
    url = url_of("clone", bugs.project)
    assert "Copy of Phone Beta" in text_of(page.get(url))
    asked = text_of(page.post(url, {"name": "Watch Beta"}))
    assert 'name="secret_own"' in asked and "secret_slack_url" not in asked
    assert not Project.objects.filter(name="Watch Beta").exists()
    data = {"name": "Watch Beta", "secret_own": "its own value"}
    assert page.post(url, data).status_code == 302
    made = Project.objects.get(name="Watch Beta")
    assert made.community == bugs.project.community and not made.is_template
    assert made.feedback_types.get().tickets.count() == 0
    assert made.macros.count() == 2
    assert made.secrets.get().reveal() == "its own value"
    assert AuditEntry.objects.get(action=Action.CLONED).object_id == made.pk
    taken = text_of(page.post(url, {"name": "Watch Beta"}))
    assert "The community has a project of this name." in taken


@pytest.mark.parametrize(
    ("role", "in_project", "moves", "clones"),
    [
        (Role.OBSERVER, False, False, False),
        (Role.SUPPORT, False, False, False),
        (Role.PROJECT_MANAGER, True, True, False),
        (Role.COMMUNITY_MANAGER, False, True, True),
    ],
)
def test_who_may_move_and_who_may_clone(
    bugs: FeedbackType,
    other: Project,
    role: Role,
    in_project: bool,
    moves: bool,
    clones: bool,
) -> None:
    client = Client()
    client.force_login(factories.member(bugs, role, in_project=in_project))
    next_door = Project.objects.create(community=bugs.project.community, name="Next")
    before = (Macro.objects.count(), Project.objects.count())
    for name in ("export", "import", "clone"):
        url = url_of(name, other)
        assert client.get(url).status_code == client.post(url).status_code == 404
        if in_project:
            assert client.get(url_of(name, next_door)).status_code == 404
    allowed = {"export": moves, "import": moves, "clone": clones}
    for name, may in allowed.items():
        status = client.get(url_of(name, bugs.project)).status_code
        assert (status in (200, 302)) is may, name
        assert may or client.post(url_of(name, bugs.project)).status_code == 403
    assert (Macro.objects.count(), Project.objects.count()) == before


def test_templates_are_found_in_the_list(page: Client, bugs: FeedbackType) -> None:
    Project.objects.filter(pk=bugs.project_id).update(is_template=True)
    Project.objects.create(community=bugs.project.community, name="No pattern")
    url = reverse("admin:feedback_project_changelist") + "?is_template__exact=1"
    text = text_of(page.get(url))
    assert "Phone Beta" in text and "No pattern" not in text
