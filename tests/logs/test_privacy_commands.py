"""`export_tester` and `erase_tester` on the command line."""

from __future__ import annotations

import builtins
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from feedback.models import FeedbackType
from feedback.models import Tester as Person
from macros.deliveries.claims import claim_due
from tests import factories
from tests.logs import people

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def zoe(bugs: FeedbackType) -> Person:
    return people.a_person(bugs)


def run(name: str, tester: Person, *options: str, email: str = people.EMAIL) -> None:
    call_command(name, email, "--community", tester.community.name, *options)


def type_in(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.setattr(builtins, "input", lambda prompt: line)


def test_an_export_goes_to_the_output_or_into_a_file(
    zoe: Person, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("export_tester", zoe)
    printed = json.loads(capsys.readouterr().out)
    assert printed["profile"]["email"] == people.EMAIL
    file = tmp_path / "zoe.json"
    run("export_tester", zoe, "--output", str(file))
    assert capsys.readouterr().out == f"Written to {file}.\n"
    written = json.loads(file.read_text("utf-8"))
    # Each export is told of in the next one.
    assert (len(printed.pop("audit_log")), len(written.pop("audit_log"))) == (1, 2)
    assert written | {"exported_at": ""} == printed | {"exported_at": ""}


def test_an_erasure_says_what_it_will_do_and_wants_the_email_typed(
    zoe: Person,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    type_in(monkeypatch, "yes")
    with pytest.raises(CommandError, match="Nothing was erased"):
        run("erase_tester", zoe)
    out = capsys.readouterr().out
    assert "Tickets: 2. Comments on them: 2. Requests on the log: 0." in out
    assert "Backups of the database still hold it" in out
    zoe.refresh_from_db()
    assert zoe.email == people.EMAIL
    type_in(monkeypatch, people.EMAIL)
    run("erase_tester", zoe)
    assert people.telling_in(people.everything_stored()) == []
    assert f"named erased-{zoe.pk}@invalid" in capsys.readouterr().out


def test_yes_asks_nothing_and_texts_can_be_removed(zoe: Person) -> None:
    run("erase_tester", zoe, "--yes", "--remove-texts")
    assert set(zoe.tickets.values_list("title", "description")) == {("[erased]", "")}


def test_what_is_being_sent_is_an_error_and_the_same_command_finishes_it(
    bugs: FeedbackType, zoe: Person
) -> None:
    started = factories.run(factories.macro(bugs, "http://127.0.0.1:9/"))
    claim_due(started.pk, 1, "a")
    with pytest.raises(CommandError, match="1 request is being sent"):
        run("erase_tester", zoe, "--yes")
    started.deliveries.update(lease="")
    run("erase_tester", zoe, "--yes")
    assert people.telling_in(people.everything_stored()) == []


@pytest.mark.parametrize("name", ["export_tester", "erase_tester"])
def test_the_member_at_fault_is_named(name: str, zoe: Person, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="EMAIL: .* has no tester 'zoe@x.test'"):
        run(name, zoe, email="zoe@x.test")
    with pytest.raises(CommandError, match="--community: .* no community 'Nowhere'"):
        call_command(name, people.EMAIL, "--community", "Nowhere")
    with pytest.raises(CommandError, match="--community"):
        call_command(name, people.EMAIL)


def test_a_file_that_cant_be_written_is_named(zoe: Person, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="--output: can't write .*: Is a directory"):
        run("export_tester", zoe, "--output", str(tmp_path))


def test_the_same_email_in_another_community_is_somebody_else(zoe: Person) -> None:
    other = people.a_person(factories.feedback_type())
    run("erase_tester", zoe, "--yes")
    other.refresh_from_db()
    assert other.email == people.EMAIL
    assert other.tickets.filter(title="Crash for ZOË O’BRIEN").exists()
