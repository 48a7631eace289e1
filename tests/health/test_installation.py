"""What a database was last used with, so that one of another installation is known."""

from __future__ import annotations

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from pytest_django import Settings

from centerhook import installation
from centerhook.checks.limits import check_mode
from feedback import mode
from feedback.models import Installation, Mode
from logs.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db


def names() -> list[str]:
    return [each.name for each in installation.differences()]


def test_a_new_database_is_nobodys_until_a_clock_starts() -> None:
    assert names() == []
    installation.note_first_use()
    first = Installation.objects.get()
    assert first.secret_key and first.secrets_key and first.address
    installation.note_first_use()
    assert Installation.objects.get().key == first.key


def test_no_key_stands_in_the_database(settings: Settings) -> None:
    installation.note_first_use()
    row = Installation.objects.get()
    stored = f"{row.key} {row.secret_key} {row.secrets_key}"
    for key in (settings.SECRET_KEY, *settings.SECRETS_KEYS):
        assert key not in stored


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "another"),
        ("SECRETS_KEYS", [Fernet.generate_key().decode()]),
        ("BASE_URL", "https://elsewhere.example"),
    ],
)
def test_each_that_differs_is_named_until_it_is_said_to_be_meant(
    settings: Settings, name: str, value: object
) -> None:
    installation.note_first_use()
    setattr(settings, name, value)
    assert names() == [name]
    installation.adopt("olivia")
    assert names() == []
    assert name in AuditEntry.objects.get().detail


def test_a_clock_takes_over_no_database_of_another(settings: Settings) -> None:
    installation.note_first_use()
    settings.SECRET_KEY = "another"
    installation.note_first_use()
    assert names() == ["SECRET_KEY"]


def test_to_start_sending_says_that_it_is_meant(settings: Settings) -> None:
    installation.note_first_use()
    installation.set_mode(Mode.PAUSED, "olivia")
    settings.SECRET_KEY = "another"
    installation.set_mode(Mode.READ_ONLY, "olivia")
    assert names() == ["SECRET_KEY"]
    installation.set_mode(Mode.NORMAL, "olivia")
    assert names() == []
    newest = AuditEntry.objects.first()
    assert newest is not None and "another SECRET_KEY" in newest.detail


def test_where_it_sends_already_only_the_door_for_it_takes_over(
    settings: Settings,
) -> None:
    installation.note_first_use()
    settings.SECRET_KEY = "another"
    assert not installation.set_mode(Mode.NORMAL, "olivia")
    assert names() == ["SECRET_KEY"]


def test_a_change_of_the_key_of_secrets_is_no_other_installation(
    settings: Settings,
) -> None:
    factories.secret(factories.feedback_type(), "signing")
    installation.note_first_use()
    old, new = settings.SECRETS_KEYS[0], Fernet.generate_key().decode()
    settings.SECRETS_KEYS = [new, old]
    assert names() == []
    call_command("rotate_secrets", stdout=StringIO())
    settings.SECRETS_KEYS = [new]
    assert names() == []


def test_the_command_says_and_changes_the_mode(settings: Settings) -> None:
    written = StringIO()
    call_command("mode", stdout=written)
    call_command("mode", "read-only", stdout=written)
    assert written.getvalue() == "Normal\nRead-only\n"
    assert mode.current() == Mode.READ_ONLY
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_name) == ("paused", "manage.py mode")
    settings.SECRET_KEY = "another"
    installation.note_first_use()
    call_command("mode", "--adopt", stdout=written)
    settings.MODE = "paused"
    with pytest.raises(CommandError, match="MODE=paused in the settings wins"):
        call_command("mode", "normal", stdout=written)


def test_a_misspelt_mode_is_a_check(settings: Settings) -> None:
    settings.MODE = "pausd"
    [error] = check_mode()
    assert error.id == "centerhook.E108" and "Nothing is sent" in error.msg
    settings.MODE = "read-only"
    assert check_mode() == []
