"""Every other curl command of the documents does what it stands for.

The commonest tasks have tests of their own: test_documented_tasks. Numbers and keys of
the documents are those of somebody's installation, and are replaced by those made here.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer

from feedback.models import FeedbackType, Project
from tests import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sweep]

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = ("api-reference", "external-data", "record-lookup", "data-packages")
SCOPES = ("read", "write", "run", "manage", "listener", "data")
_COMMAND = re.compile(r"(?:^ {4}\S.*\n(?: {5,}\S.*\n)*)", re.MULTILINE)


def commands() -> list[tuple[str, str]]:
    return [
        (page, command)
        for page in PAGES
        for command in _COMMAND.findall((DOCS / f"{page}.md").read_text())
        if command.lstrip().startswith("curl ")
    ]


@pytest.fixture
def bugs(transactional_db: None) -> FeedbackType:
    made = factories.feedback_type()
    made.statuses.create(name="Sent", position=3, is_open=True)
    for name in ("slack_url", "jira_webhook"):
        factories.secret(made, name, "https://hooks.example.com/services/1")
    factories.tester(made, "ada@example.com")
    factories.tickets(made, 12)
    return made


def replacements(bugs: FeedbackType, url: str) -> dict[str, str]:
    """From what the documents have, as regular expressions, to what is here."""
    community = bugs.project.community
    elsewhere = Project.objects.create(community=community, name="Elsewhere")
    source = factories.source(bugs, default_status=bugs.statuses.first())
    lookup = factories.lookup(community, "reference", "status", key="bug-status")
    package = factories.package(bugs, key="open-bugs")
    rows = reverse("package-rows", args=[community.pk, package.key, "csv"])
    statuses = ", ".join(map(str, bugs.statuses.values_list("pk", flat=True)[:2]))
    return {
        r"https://centerhook\.example\.com": url,
        r"/sources/nJ3\.\.\./": reverse("source", args=[source.key]),
        r"/lookups/1/bug-status/": reverse("lookup", args=[community.pk, lookup.key]),
        r"URL\.csv": f"{url}{rows}",
        r"Bearer KEY": "Bearer $KEY",
        r'"type": 3': f'"type": {bugs.pk}',
        r'"project": 1,': f'"project": {elsewhere.pk},',
        r'"macro": 5': f'"macro": {factories.macro(bugs, url).pk}',
        r"\[7, 8\]": f"[{statuses}]",
    }


@pytest.mark.parametrize(
    ("page", "number"),
    [(page, n) for n, (page, _) in enumerate(commands())],
)
def test_a_command_is_taken(
    live_server: LiveServer, bugs: FeedbackType, tmp_path: Path, page: str, number: int
) -> None:
    command = commands()[number][1]
    for pattern, here in replacements(bugs, live_server.url).items():
        command = re.sub(pattern, lambda match, here=here: here, command)
    scopes = dict.fromkeys([f"scope_{scope}" for scope in SCOPES], True)
    _, token = factories.api_key(bugs.project.community, **scopes)
    own = f"API={live_server.url}/api/v1 KEY={token}\n"
    strict = 'curl() { command curl -sS --fail-with-body "$@"; }\n'
    done = subprocess.run(
        ["bash", "-ec", own + strict + command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{page}: {command}\n{done.stdout}{done.stderr}"


def test_every_page_of_programs_has_some() -> None:
    assert {page for page, _ in commands()} == set(PAGES)
    assert len(commands()) >= 9
