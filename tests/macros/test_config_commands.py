"""`export_config` and `import_config` on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command

from feedback.models import FeedbackType, Project
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


@pytest.fixture
def target(bugs: FeedbackType) -> Project:
    return Project.objects.create(community=bugs.project.community, name="Watch Beta")


def test_from_one_project_through_a_file_into_another(
    bugs: FeedbackType,
    target: Project,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file, values = tmp_path / "beta.json", tmp_path / "secrets.yaml"
    options = ["--format", "json", "-o", str(file)]
    call_command("export_config", "--project", "Phone Beta", *options)
    assert capsys.readouterr().out == f"Written to {file}.\n"
    assert VALUE not in file.read_text("utf-8")
    order = ["import_config", str(file), "--project", str(target.pk)]
    with pytest.raises(CommandError, match="secrets token. Give them in a file"):
        call_command(*order)
    values.write_text(f"token: {VALUE}\n", "utf-8")
    call_command(*order, "--secrets", str(values), "--dry-run")
    said = capsys.readouterr().out
    assert "Would be imported into Watch Beta: 1 feedback type, 3 macros" in said
    assert not target.feedback_types.exists() and not target.secrets.exists()
    call_command(*order, "--secrets", str(values))
    assert VALUE not in capsys.readouterr().out
    assert target.macros.count() == 3 and target.secrets.get().hosts == "a.example"
    with pytest.raises(CommandError, match="Nothing was imported.\n.*already"):
        call_command(*order)
    call_command(*order, "--existing", "skip")
    assert "3 kept as they were" in capsys.readouterr().out


def test_one_macro_comes_with_its_type_only(
    bugs: FeedbackType, capsys: pytest.CaptureFixture[str]
) -> None:
    FeedbackType.objects.create(project=bugs.project, name="Idea", prefix="IDEA")
    place = f"{bugs.project.community.name}/Phone Beta"
    call_command("export_config", "--project", place, "--macro", "Two")
    found = yaml.safe_load(capsys.readouterr().out)
    assert [each["name"] for each in found["types"]] == ["Bug Report"]
    assert [each["name"] for each in found["types"][0]["macros"]] == ["Two"]
    assert (found["user_macros"], found["secrets"]) == ([], [])
    call_command("export_config", "--project", place, "--type", "Idea")
    found = yaml.safe_load(capsys.readouterr().out)
    assert [each["name"] for each in found["types"]] == ["Idea"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--project", "Nowhere"], "There is no project 'Nowhere'"),
        (["--project", "Same"], "Several projects are called 'Same'"),
        (["--project", "Phone Beta", "--type", "Idea"], "no feedback type 'Idea'"),
        (["--project", "Phone Beta", "--macro", "X"], "has no macro 'X'"),
        (["--project", "Phone Beta", "-o", "/"], "can't write /"),
    ],
)
def test_an_export_says_what_is_wrong(
    bugs: FeedbackType, options: list[str], said: str
) -> None:
    for number in range(2):
        community = factories.feedback_type(f"T{number}", f"T{number}").project
        community.name = "Same"
        community.save()
    with pytest.raises(CommandError, match=said):
        call_command("export_config", *options)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "can't be read: No such file"),
        (b"\xff\0", "is not text in UTF-8"),
        (b"a: 1\na: 2\n", "Line 2, column 1: the member 'a' is given twice"),
        (b"centerhook: {format: 9}\n", "is of format 9"),
    ],
)
def test_an_import_says_what_is_wrong(
    target: Project, tmp_path: Path, text: bytes | None, said: str
) -> None:
    file = tmp_path / "in.yaml"
    if text is not None:
        file.write_bytes(text)
    with pytest.raises(CommandError, match=said):
        call_command("import_config", str(file), "--project", "Watch Beta")
    assert not target.feedback_types.exists()


def test_a_file_of_secrets_that_is_wrong_is_not_repeated(
    target: Project, tmp_path: Path
) -> None:
    file, values = tmp_path / "in.yaml", tmp_path / "secrets.yaml"
    file.write_text("centerhook: {format: 1}\n", "utf-8")
    for wrong in (f"- {VALUE}", f"token: [{VALUE}]", f"{VALUE}: &x y"):
        values.write_text(wrong, "utf-8")
        with pytest.raises(CommandError, match="must hold names") as refused:
            options = ["--project", "Watch Beta", "--secrets", str(values)]
            call_command("import_config", str(file), *options)
        assert VALUE not in str(refused.value)


def test_the_file_in_the_documentation_is_imported(
    target: Project, tmp_path: Path
) -> None:
    page = Path(__file__).parents[2] / "docs" / "moving.md"
    file, values = tmp_path / "in.yaml", tmp_path / "secrets.yaml"
    text = page.read_text("utf-8")
    file.write_text(text.partition("```yaml\n")[2].partition("```")[0], "utf-8")
    values.write_text(f"slack_url: {VALUE}", "utf-8")
    options = ["--project", "Watch Beta", "--secrets", str(values)]
    call_command("import_config", str(file), *options)
    assert target.macros.get().steps.get().concrete.body_kind == "json"
