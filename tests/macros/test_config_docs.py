"""The file that docs/config.md shows is one that is read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from feedback.models import Project
from macros import config
from tests import factories

DOCS = Path(__file__).resolve().parents[2] / "docs" / "config.md"


@pytest.mark.django_db
def test_the_example_is_imported() -> None:
    [text] = re.findall(r"```yaml\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    owner = factories.feedback_type().project.community
    project = Project.objects.create(community=owner, name="Another")
    values = {"slack_url": "https://hooks.slack.com/x", "jira_webhook": "signed-with"}
    made = config.import_document(config.read(text), project, secrets=values)
    assert [each.name for each in made.macros] == ["To Slack"]
    assert [each.name for each in made.listeners] == ["From Jira"]
    assert [each.name for each in made.sources] == ["Crashes"]
    assert [each.name for each in made.packages] == ["Critical bugs"]
    assert [each.name for each in made.lookups] == ["A bug"]
