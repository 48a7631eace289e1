"""What `export_config` writes of a project, and what it can't."""

from __future__ import annotations

import pytest
import yaml
from django.core.management import CommandError, call_command

from feedback.models import FeedbackType
from macros.models import Macro
from tests import factories

pytestmark = pytest.mark.django_db
VALUE = "a-very-secret-value"


@pytest.fixture
def bugs() -> FeedbackType:
    made = factories.feedback_type()
    factories.secret(made, "token", VALUE, hosts="a.example", own=True)
    factories.macro(
        made, "https://a.example/", name="One", headers="X-A: ((Secret: token))"
    )
    factories.macro(made, "https://b.example/", name="Two")
    Macro.objects.create(project=made.project, name="For testers")
    return made


def test_one_macro_comes_with_its_type_only(
    bugs: FeedbackType, capsys: pytest.CaptureFixture[str]
) -> None:
    FeedbackType.objects.create(project=bugs.project, name="Idea", prefix="IDEA")
    path = f"{bugs.project.community.name}/Phone Beta"
    call_command("export_config", "--project", path, "--macro", "Two")
    document = yaml.safe_load(capsys.readouterr().out)
    assert [each["name"] for each in document["types"]] == ["Bug Report"]
    assert [each["name"] for each in document["types"][0]["macros"]] == ["Two"]
    assert (document["user_macros"], document["secrets"]) == ([], [])
    call_command("export_config", "--project", path, "--type", "Idea")
    document = yaml.safe_load(capsys.readouterr().out)
    assert [each["name"] for each in document["types"]] == ["Idea"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--project", "Same"], "Several projects are called 'Same'"),
        (["--project", "Phone Beta", "-o", "/"], "can't write /"),
    ],
)
def test_an_export_says_what_is_wrong(
    bugs: FeedbackType, options: list[str], message: str
) -> None:
    for number in range(2):
        community = factories.feedback_type(f"T{number}", f"T{number}").project
        community.name = "Same"
        community.save()
    with pytest.raises(CommandError, match=message):
        call_command("export_config", *options)
