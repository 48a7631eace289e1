"""The banner on every page, and the page on which a superuser changes the mode."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from centerhook import installation, waiting
from feedback import mode
from feedback.access.roles import Role
from feedback.models import FeedbackType, Installation, Mode
from logs.models import Action, AuditEntry, Delivery, Run
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


def text_of(client: Client, url: str = "/admin/") -> str:
    return " ".join(client.get(url).content.decode().split())


def waits(bugs: FeedbackType, tickets: int) -> None:
    factories.tickets(bugs, tickets)
    factories.run(factories.macro(bugs, "https://a.example/"))


def test_no_page_has_a_banner_while_it_sends(page: Client) -> None:
    assert "mode-banner" not in text_of(page)


def test_every_page_says_since_when_by_whom_and_what_waits(
    page: Client, bugs: FeedbackType
) -> None:
    waits(bugs, 3)
    installation.set_mode(Mode.PAUSED, "olivia")
    for url in ("/admin/", "/admin/logs/run/", "/admin/doctor/"):
        text = text_of(page, url)
        assert "Paused: nothing is sent." in text
        assert "by olivia." in text and "Waiting: 3 deliveries." in text
        assert '<a class="button" href="/admin/mode/">Start sending</a>' in text


def test_people_see_what_waits_of_their_own(bugs: FeedbackType) -> None:
    waits(bugs, 2)
    waits(factories.feedback_type("Ideas", "IDEA"), 5)
    installation.set_mode(Mode.PAUSED, "olivia")
    client = Client()
    client.force_login(factories.member(bugs, Role.SUPPORT, "sam"))
    text = text_of(client)
    assert "Waiting: 2 deliveries." in text
    assert "/admin/mode/" not in text
    assert client.get("/admin/mode/").status_code == 403
    assert client.post("/admin/mode/", {"mode": "normal"}).status_code == 403
    assert Installation.objects.get().mode == Mode.PAUSED


def test_whoever_has_not_signed_in_is_told_nothing(bugs: FeedbackType) -> None:
    installation.set_mode(Mode.PAUSED, "olivia")
    text = text_of(Client(), "/admin/login/")
    assert "mode-banner" not in text and "olivia" not in text


def test_the_page_says_what_was_on_the_way_among_what_waits(
    page: Client, bugs: FeedbackType
) -> None:
    waits(bugs, 3)
    Delivery.objects.filter(pk=Delivery.objects.first().pk).update(lease="gone")  # type: ignore[union-attr]
    waits(factories.feedback_type("Ideas", "IDEA"), 2)
    theirs = Delivery.objects.filter(run=Run.objects.first())
    theirs.update(lease="gone")
    Run.objects.filter(pk__in=theirs.values("run")).update(state="paused")
    installation.set_mode(Mode.PAUSED, "olivia")
    text = text_of(page, "/admin/mode/")
    assert "<li>3 deliveries</li>" in text
    assert "Among the deliveries, 1 was held by a worker" in text
    assert "not looked at" not in text


def test_few_of_very_many_are_looked_at_and_the_page_says_so(
    page: Client, bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MAX_COUNTED", 4)
    waits(bugs, 9)
    installation.set_mode(Mode.PAUSED, "olivia")
    text = text_of(page, "/admin/mode/")
    assert "<li>4+ deliveries</li>" in text
    assert "Among 4 of the deliveries, 0 were held by a worker" in text
    assert "The others were not looked at" in text
    Delivery.objects.update(lease="gone")
    text = text_of(page, "/admin/mode/")
    assert "Among 4 of the deliveries, 4 were held by a worker" in text


@pytest.mark.parametrize(
    ("to", "action"), [("paused", Action.PAUSED), ("read_only", Action.PAUSED)]
)
def test_a_superuser_changes_it_and_lets_go(
    page: Client, olivia: User, to: str, action: Action
) -> None:
    page.post("/admin/mode/", {"mode": to})
    assert mode.current() == Mode(to)
    row = Installation.objects.get()
    assert row.mode_by == "olivia" and row.mode_since is not None
    [entry] = AuditEntry.objects.filter(object_type="feedback.installation")
    assert (entry.action, entry.actor) == (action, olivia)
    assert entry.changes == {"mode": ["Normal", Mode(to).label]}
    page.post("/admin/mode/", {"mode": "normal"})
    assert mode.is_sending()
    newest = AuditEntry.objects.filter(object_type="feedback.installation").first()
    assert newest is not None and newest.action == Action.RESUMED


def test_the_same_again_changes_nothing(page: Client) -> None:
    installation.set_mode(Mode.PAUSED, "paul")
    before = Installation.objects.get()
    page.post("/admin/mode/", {"mode": "paused"})
    after = Installation.objects.get()
    assert (after.mode_by, after.mode_since) == ("paul", before.mode_since)


@pytest.mark.parametrize("rubbish", ["", "off", "NORMAL ", "\x00", "ü" * 1000])
def test_rubbish_is_refused(page: Client, rubbish: str) -> None:
    installation.set_mode(Mode.PAUSED, "olivia")
    response = page.post("/admin/mode/", {"mode": rubbish}, follow=True)
    assert response.status_code in (200, 400)
    assert Installation.objects.get().mode == Mode.PAUSED


def test_the_operators_setting_wins_and_the_page_says_so(
    page: Client, settings: Settings
) -> None:
    settings.MODE = "paused"
    text = text_of(page, "/admin/mode/")
    assert "The setting <code>MODE</code> says so" in text
    assert 'value="normal"' not in text
    assert "Whoever runs CenterHook has set it so." in text_of(page)
    response = page.post("/admin/mode/", {"mode": "normal"}, follow=True)
    assert "The setting MODE decides" in response.content.decode()
    assert mode.current() == Mode.PAUSED
    settings.MODE = "normal"
    installation.set_mode(Mode.PAUSED, "olivia")
    assert mode.is_sending()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("paused", Mode.PAUSED),
        ("Paused ", Mode.PAUSED),
        ("read-only", Mode.READ_ONLY),
        ("READ_ONLY", Mode.READ_ONLY),
        ("normal", Mode.NORMAL),
        ("pausd", Mode.PAUSED),
        ("off", Mode.PAUSED),
    ],
)
def test_a_setting_that_is_misspelt_sends_nothing(
    settings: Settings, written: str, meant: Mode
) -> None:
    settings.MODE = written
    assert mode.current() == meant
