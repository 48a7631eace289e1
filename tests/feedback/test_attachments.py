"""Files on tickets: which are taken, how they are kept, and that none is left."""

from __future__ import annotations

import io
import os
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback.access.roles import Role
from feedback.attachments import pruning
from feedback.attachments.adding import FileRefused, add, check, clean_name
from feedback.changes import deletion
from feedback.models import Attachment, Feedback, FeedbackType
from feedback.models.attachments import storage
from logs.models import AuditEntry
from logs.privacy import erase_tester
from tests import factories
from tests.factories import PNG, upload

SCRIPT = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        made.writestr("a.txt", "hello")
    return packed.getvalue()


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def ticket(bugs: FeedbackType) -> Feedback:
    return factories.ticket(bugs)


def attached(ticket: Feedback, *files: SimpleUploadedFile) -> list[Attachment]:
    return add(ticket, check(files, ticket), by="Olivia")


def files() -> set[str]:
    """All that is in the store."""
    root = Path(settings.ATTACHMENTS_DIR)
    paths = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)) for path in paths}


@pytest.fixture(autouse=True)
def _empty_store() -> None:
    for name in files():
        storage().delete(name)


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("screen.png", PNG, "image/png"),
        ("screen", PNG, "image/png"),
        ("LOG.TXT", b"all is well\n", "text/plain"),
        ("log", "Größe\n".encode("latin-1"), "text/plain"),
        ("log.txt", "\ufeffutf".encode("utf-16"), "text/plain"),
        ("page.log", b"GET <html> and <svg>\n", "text/plain"),
        ("rows.csv", b"a,b\n1,2\n", "text/csv"),
        ("data.json", b'{"a": 1}', "application/json"),
        ("all.zip", archive(), "application/zip"),
        ("report.pdf", b"%PDF-1.7\n%\xe2\xe3", "application/pdf"),
    ],
)
def test_a_file_is_what_its_content_says(
    ticket: Feedback, name: str, content: bytes, kind: str
) -> None:
    [made] = attached(ticket, upload(name, content, "application/x-lie"))
    assert (made.content_type, made.size, made.name) == (kind, len(content), name)
    with made.file.open() as kept:
        assert kept.read() == content


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        (
            "screen.png",
            archive(),
            "The name screen.png says PNG image, but",
        ),
        ("screen.png", SCRIPT, "screen.png is SVG image, which can hold a program"),
        ("drawing.svg", SCRIPT, "drawing.svg is SVG image, which can hold a program"),
        ("page.txt", b" <!DOCTYPE html><p>", "page.txt is web page, which can hold"),
        ("tool.exe", b"MZ" + bytes(80), "tool.exe is a file of an unknown kind"),
        ("none.txt", b"", "none.txt is empty"),
    ],
)
def test_a_file_that_is_not_taken_is_refused_with_a_sentence(
    ticket: Feedback, name: str, content: bytes, sentence: str
) -> None:
    with pytest.raises(FileRefused, match="^" + sentence):
        attached(ticket, upload(name, content))
    assert not files() and not Attachment.objects.exists()


def test_a_file_that_is_too_long_is_refused(ticket: Feedback, settings: Any) -> None:
    settings.ATTACHMENT_MAX_BYTES = 10
    with pytest.raises(FileRefused, match="an attachment has at most 10"):
        attached(ticket, upload("log.txt", b"x" * 11))


def test_a_ticket_has_so_many_and_no_more(ticket: Feedback, settings: Any) -> None:
    settings.ATTACHMENTS_PER_TICKET = 2
    attached(ticket, upload("a.txt", b"a"))
    with pytest.raises(FileRefused, match="at most 2 attachments, and here are 3"):
        attached(ticket, upload("b.txt", b"b"), upload("c.txt", b"c"))
    assert ticket.attachments.count() == len(files()) == 1


@pytest.mark.parametrize(("exit_code", "is_taken"), [(0, True), (1, False)])
def test_the_operators_scanner_has_the_last_word(
    ticket: Feedback, settings: Any, exit_code: int, is_taken: bool
) -> None:
    script = f"read line; [ $line = hello ] && exit {exit_code}; exit 9"
    settings.ATTACHMENT_SCAN_COMMAND = ["sh", "-c", script]
    try:
        attached(ticket, upload("a.txt", b"hello\n"))
    except FileRefused as refusal:
        assert "refused by the virus scanner" in str(refusal)
    assert ticket.attachments.exists() is is_taken
    settings.ATTACHMENT_SCAN_COMMAND = ["/no/such/scanner"]
    with pytest.raises(FileRefused, match="could not be checked"):
        attached(ticket, upload("b.txt", b"hello\n"))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\log.txt", "log.txt"),
        ("exe.\u202egnp.txt", "exe. gnp.txt"),
        ('a"b\r\nX: y.txt', "ab X y.txt"),
        ("...", "file"),
        ("x" * 300 + ".png", "x" * 146 + ".png"),
        ("日本語 שלום.png", "日本語 שלום.png"),
    ],
)
def test_a_name_is_kept_without_what_could_mislead(given: str, kept: str) -> None:
    assert clean_name(given) == kept


def test_no_file_is_named_by_people_or_readable_by_others(ticket: Feedback) -> None:
    [made] = attached(ticket, upload("screen.png"))
    assert "screen" not in made.file.name
    assert os.stat(made.file.path).st_mode & 0o777 == 0o600
    assert Client().get(f"/{made.file.name}").status_code == 404


def test_adding_a_file_modifies_the_ticket_and_is_audited(ticket: Feedback) -> None:
    before = ticket.modified_at
    [made] = attached(ticket, upload("screen.png"))
    ticket.refresh_from_db()
    assert ticket.modified_at > before
    entry = AuditEntry.objects.get(object_id=ticket.pk, object_type="feedback.feedback")
    assert entry.detail.startswith(f"Attachment {made.pk}: ")


@pytest.mark.django_db(transaction=True)
class TestWhenItIsGone:
    def test_the_file_goes_after_the_commit_and_not_before(self) -> None:
        ticket = factories.ticket(factories.feedback_type())
        attached(ticket, upload("screen.png"))
        with transaction.atomic():
            ticket.delete()
            assert len(files()) == 1
        assert not files()

    def test_a_deletion_that_is_undone_keeps_the_file(self) -> None:
        ticket = factories.ticket(factories.feedback_type())
        attached(ticket, upload("screen.png"))
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            Feedback.objects.all().delete()
            _ = 1 / 0
        assert len(files()) == ticket.attachments.count() == 1

    def test_a_deletion_in_steps_takes_the_files(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        of = factories.feedback_type()
        for ticket in factories.tickets(of, 3):
            attached(ticket, upload("a.txt", b"a"), upload("b.txt", b"b"))
        monkeypatch.setattr(deletion, "AT_ONCE", 2)
        assert not deletion.delete(of.project)
        while type(of.project).objects.filter(pk=of.project.pk).exists():
            deletion.go_on()
        assert not Attachment.objects.exists() and not files()

    def test_an_erasure_takes_the_files_of_the_persons_tickets(self) -> None:
        of = factories.feedback_type()
        tara, other = factories.tester(of), factories.ticket(of)
        attached(factories.ticket(of, submitter=tara), upload("tara.png"))
        [stays] = attached(other, upload("other.png"))
        erase_tester(tara, None)
        assert [*Attachment.objects.all()] == [stays]
        assert files() == {stays.file.name}

    def test_files_whose_ticket_could_not_be_made_go(self) -> None:
        ticket = factories.ticket(factories.feedback_type())
        given = check([upload("a.txt", b"a")], None)
        ticket.pk = 999_999
        with pytest.raises(Exception, match=".*"):
            add(ticket, given)
        assert not files()


def test_orphans_are_pruned_when_they_are_old_and_nothing_else(
    ticket: Feedback, monkeypatch: pytest.MonkeyPatch
) -> None:
    [made] = attached(ticket, upload("screen.png"))
    orphan = storage().save(f"{made.file.name[:10]}/orphan", upload("x.txt", b"x"))
    [folder] = pruning.folders(storage())
    assert pruning.ATTACHMENTS.prune_folder(folder) == 0
    monkeypatch.setattr(pruning, "GRACE", timedelta(0))
    assert pruning.ATTACHMENTS.prune_folder(folder) == 1
    assert files() == {made.file.name} and orphan not in files()


def test_the_clock_goes_through_the_folders_once_a_day(
    ticket: Feedback, monkeypatch: pytest.MonkeyPatch
) -> None:
    attached(ticket, upload("screen.png"))
    monkeypatch.setattr(pruning, "GRACE", timedelta(0))
    monkeypatch.setattr(pruning.ATTACHMENTS, "begun_at", None)
    monkeypatch.setattr(pruning.ATTACHMENTS, "folders", iter(()))
    Attachment.objects.all()._raw_delete(using="default")
    assert pruning.ATTACHMENTS.go_on() == 1
    storage().save(f"{timezone.now():%Y/%m/%d}/late", upload("x.txt", b"x"))
    assert pruning.ATTACHMENTS.go_on() == pruning.ATTACHMENTS.go_on() == 0


@pytest.mark.pages
class TestWhenOnThePage:
    def test_a_file_is_saved_and_never_shown(self, ticket: Feedback) -> None:
        [made] = attached(ticket, upload('log "a".txt', b"<b>x"))
        client = Client()
        client.force_login(factories.superuser())
        url = reverse("admin:feedback_feedback_attachment", args=[ticket.pk, made.pk])
        response: Any = client.get(url)
        assert b"".join(response) == b"<b>x"
        assert response["Content-Disposition"].startswith("attachment; filename=")
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert "no-store" in response["Cache-Control"]

    def test_only_those_who_see_the_ticket_get_its_files(
        self, ticket: Feedback, bugs: FeedbackType
    ) -> None:
        [made] = attached(ticket, upload("a.txt", b"a"))
        stranger = factories.member(factories.feedback_type(), Role.COMMUNITY_MANAGER)
        observer = factories.member(bugs, Role.OBSERVER)
        other = factories.ticket(bugs)
        mine = reverse("admin:feedback_feedback_attachment", args=[ticket.pk, made.pk])
        wrong = reverse("admin:feedback_feedback_attachment", args=[other.pk, made.pk])
        client = Client()
        assert client.get(mine).status_code == 302
        client.force_login(stranger)
        assert client.get(mine).status_code in (403, 404)
        client.force_login(observer)
        assert (client.get(mine).status_code, client.get(wrong).status_code) == (
            200,
            404,
        )

    def test_a_file_that_the_store_has_lost_is_said_to_be(
        self, ticket: Feedback
    ) -> None:
        [made] = attached(ticket, upload("a.txt", b"a"))
        storage().delete(made.file.name)
        client = Client()
        client.force_login(factories.superuser())
        url = reverse("admin:feedback_feedback_attachment", args=[ticket.pk, made.pk])
        assert client.get(url).status_code == 404
