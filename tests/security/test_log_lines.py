"""No name that somebody types is a line of the server's log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from io import StringIO

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils.module_loading import import_string

from feedback.names import one_line
from tests import factories

FORGED = "2026-11-26 09:00:00,000 WARNING django.request: forged"
ENDS = ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\0"]


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What the server writes, by its own formatter."""
    made = {**settings.LOGGING["formatters"]["line"]}
    formatter = import_string(made.pop("()"))(made["format"])
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.addHandler(handler)
    yield written
    root.removeHandler(handler)


def lines_of(log: StringIO) -> list[str]:
    return log.getvalue().splitlines()


@pytest.mark.parametrize("end", ENDS, ids=ascii)
def test_a_message_is_one_line(log: StringIO, end: str) -> None:
    logging.getLogger("some").warning("Refused: %s", f"tara{end}{FORGED}")
    [line] = lines_of(log)
    assert line.endswith(FORGED) and "WARNING some: Refused: tara\\" in line


@pytest.mark.parametrize("end", ENDS, ids=ascii)
def test_a_traceback_is_indented(log: StringIO, end: str) -> None:
    try:
        raise ValueError(f"tara{end}{FORGED}")
    except ValueError:
        logging.getLogger("some").exception("It failed", stack_info=True)
    first, *others = lines_of(log)
    assert first.endswith("ERROR some: It failed")
    assert others and all(line.startswith("  ") for line in others)


def test_letters_are_written_as_they_are(log: StringIO) -> None:
    logging.getLogger("some").warning("Käse, 部屋, 50 %% off: %s", "é")
    assert lines_of(log)[0].endswith("Käse, 部屋, 50 % off: é")


@pytest.mark.django_db
@pytest.mark.parametrize("end", ENDS[:3], ids=ascii)
def test_a_sign_in_name_forges_no_line(log: StringIO, client: Client, end: str) -> None:
    form = {"username": f"tara{end}{FORGED}", "password": "wrong"}
    for _ in range(settings.SIGN_IN_TRIES + 1):
        client.post(reverse("admin:login"), form)
    client.get(f"/nowhere%0A{FORGED}")
    lines = lines_of(log)
    assert any("forged" in line for line in lines)
    assert not any(
        line.startswith(FORGED[:10]) and " forged" in line[:55] for line in lines
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("end", ENDS[:-1], ids=ascii)
def test_a_key_of_any_name_can_be_used(client: Client, end: str) -> None:
    community = factories.feedback_type().project.community
    community.name = f"50% off{end}Bcc: eve@example.com"
    community.save()
    key, token = factories.api_key(community, notify_emails="ann@example.com")
    key.name = f"50% %(off)s{end}Bcc: eve@example.com"
    key.save()
    bearer = {"authorization": f"Bearer {token}"}
    assert client.get("/api/v1/feedback/", headers=bearer).status_code == 200
    [sent] = mail.outbox
    assert sent.subject == "API key 50% %(off)s Bcc: eve@example.com was used"
    assert sent.recipients() == ["ann@example.com"]


def test_a_name_stays_in_its_line() -> None:
    for end in ENDS:
        assert one_line(f" a{end}b ") == "a b"
