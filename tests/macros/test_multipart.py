"""Requests that send the files of a ticket: what goes out, is logged and goes again."""

from __future__ import annotations

import email
import json
from email.message import Message
from io import BytesIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from centerhook.receiver import Receiver
from feedback.models import Feedback, FeedbackType
from logs.models import Attempt, Delivery, Resend
from macros.authoring import curl
from macros.http import FilePart, Multipart, TextPart, TransportError
from macros.http.multipart import CHUNK
from macros.models import Macro
from macros.runs.resend import resend
from macros.steps.kinds.web_request import WebRequest
from macros.steps.kinds.web_request.files import split_body
from tests import factories
from tests.macros.resending import work

BODY = "comment=((Title))\nfile=@attachments"
pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def ticket(bugs: FeedbackType) -> Feedback:
    return factories.ticket(bugs, title="It @breaks & more")


def sending(of: FeedbackType, receiver: Receiver, body: str = BODY) -> Macro:
    options: dict[str, Any] = {"body_kind": "multipart", "body": body}
    return factories.macro(of, f"{receiver.url}/ok", **options)


def parts_in(head: bytes, body: bytes) -> list[Message]:
    """As another library reads them."""
    [kind] = [
        line
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-type:")
    ]
    message = email.message_from_bytes(kind + b"\r\n\r\n" + body)
    return message.get_payload()  # type: ignore[return-value]


def test_fields_and_files_arrive_whole(
    ticket: Feedback, bugs: FeedbackType, receiver: Receiver
) -> None:
    factories.attachment(ticket, "screen.png")
    factories.attachment(ticket, 'grün "1".txt', "héllo\r\n--x--".encode() * 20_000)
    run = factories.run(sending(bugs, receiver))
    assert work(run) == ("finished", 1, 0, 0, 0, 0)
    [request] = receiver.requests
    comment, screen, text = parts_in(request.head, request.body)
    assert comment.get_payload() == "It @breaks & more"
    assert screen.get_content_type() == "image/png"
    assert screen.get_param("name", header="content-disposition") == "file"
    assert screen.get_payload(decode=True) == factories.PNG
    assert request.body.count("héllo".encode()) == 20_000
    assert b'filename="gr\xc3\xbcn 1.txt"' in request.body
    assert text.get_content_type() == "text/plain"
    assert f"content-length: {len(request.body)}".encode() in request.head.lower()


def test_the_log_has_names_and_sizes_and_no_byte(
    ticket: Feedback, bugs: FeedbackType, receiver: Receiver
) -> None:
    made = factories.attachment(ticket, "grün.txt", b"not for the log")
    work(factories.run(sending(bugs, receiver)))
    logged = Attempt.objects.get().request_body
    assert "grün.txt" in logged
    assert json.loads(logged) == [
        {"name": "comment", "value": "It @breaks & more"},
        {
            "name": "file",
            "attachment": made.pk,
            "file": "grün.txt",
            "content_type": "text/plain",
            "bytes": 15,
            "sha256": made.sha256,
        },
    ]


def test_the_same_request_again_sends_the_same_files(
    ticket: Feedback, bugs: FeedbackType, receiver: Receiver
) -> None:
    factories.attachment(ticket, "a.txt", b"first")
    run = factories.run(sending(bugs, receiver))
    work(run)
    factories.attachment(ticket, "b.txt", b"second")
    Feedback.objects.update(title="Another")
    resend(Delivery.objects.all(), Resend.SAME, factories.superuser())
    work(run)
    first, again = receiver.requests
    assert again.body == first.body and b"second" not in again.body


def test_a_file_that_was_deleted_since_is_named(
    ticket: Feedback, bugs: FeedbackType, receiver: Receiver
) -> None:
    made = factories.attachment(ticket, "a.txt", b"first")
    run = factories.run(sending(bugs, receiver))
    work(run)
    made.delete()
    resend(Delivery.objects.all(), Resend.SAME, factories.superuser())
    work(run)
    last = Attempt.objects.latest("pk")
    assert last.message == "The attachment a.txt was deleted since. Build it anew."
    assert (last.error_class, len(receiver.requests)) == ("render", 1)


def test_a_ticket_without_files_sends_nothing_alone(
    ticket: Feedback, bugs: FeedbackType, receiver: Receiver
) -> None:
    work(factories.run(sending(bugs, receiver, "file=@attachments")))
    assert "The ticket has no attachments" in Attempt.objects.get().message
    work(factories.run(sending(bugs, receiver)))
    [request] = receiver.requests
    assert len(parts_in(request.head, request.body)) == 1


def test_what_a_ticket_says_is_never_taken_for_its_files(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    spoof = factories.ticket(bugs, title="@attachments")
    factories.attachment(spoof)
    work(factories.run(sending(bugs, receiver, "comment=((Title))")))
    [part] = parts_in(receiver.requests[0].head, receiver.requests[0].body)
    assert part.get_payload() == "@attachments"


def test_a_file_that_the_store_has_lost_fails_with_its_name(
    ticket: Feedback, bugs: FeedbackType, receiver: Receiver
) -> None:
    made = factories.attachment(ticket, "a.txt", b"first")
    made.file.storage.delete(made.file.name)
    work(factories.run(sending(bugs, receiver)))
    attempt = Attempt.objects.get()
    assert attempt.message.startswith("The file a.txt can't be read from the store")
    assert not receiver.requests


def test_more_than_may_be_sent_is_not(
    ticket: Feedback, bugs: FeedbackType, receiver: Receiver, settings: Any
) -> None:
    settings.MULTIPART_MAX_BYTES = 500
    factories.attachment(ticket, "a.txt", b"x" * 501)
    work(factories.run(sending(bugs, receiver)))
    assert Attempt.objects.get().message == "The body is longer than 500 bytes."


@pytest.mark.parametrize(
    ("body", "options", "field"),
    [
        ("", {}, "body"),
        ("file=@attachments\nfile = @attachments", {}, "body"),
        ("file", {}, "body"),
        (BODY, {"signing_secret": "signing"}, "signing_secret"),
    ],
)
def test_what_can_not_be_sent_is_refused_on_saving(
    bugs: FeedbackType, body: str, options: dict[str, Any], field: str
) -> None:
    factories.secret(bugs, "signing", "whsec_" + "QUFB" * 12)
    macro = factories.macro(bugs)
    step = WebRequest(macro=macro, url="https://example.com/", body_kind="multipart")
    step.body = body
    for name, value in options.items():
        setattr(step, name, value)
    with pytest.raises(ValidationError) as refusal:
        step.full_clean(exclude=["step_ptr"])
    assert field in refusal.value.message_dict


def test_testers_have_no_attachments(bugs: FeedbackType) -> None:
    macro = factories.macro(bugs.project)
    step = WebRequest(macro=macro, url="https://example.com/", body_kind="multipart")
    step.body = BODY.replace("Title", "Name")
    with pytest.raises(ValidationError, match="Only tickets have attachments"):
        step.full_clean(exclude=["step_ptr"])


def test_lines_keep_their_places() -> None:
    assert split_body("a=1\n file = @attachments \nb=@attachments2") == (
        "a=1\n\nb=@attachments2",
        ("file",),
    )


@pytest.mark.parametrize("stored", [b"", b"shorter", b"longer than it was said"])
def test_a_file_of_another_length_breaks_the_request_off(stored: bytes) -> None:
    part = FilePart("file", "a.txt", "text/plain", 10, "", 1, lambda: BytesIO(stored))
    with pytest.raises(TransportError, match="a.txt can't be read"):
        b"".join(Multipart([part], "b").chunks())


def test_a_longer_file_is_sent_and_read_no_further_than_its_length() -> None:
    read: list[int] = []

    class Stored(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            data = super().read(size)
            read.append(len(data))
            return data

    stored, size, sent = Stored(b"x" * 9 * CHUNK), CHUNK - 1, 0
    part = FilePart("file", "a.txt", "text/plain", size, "", 1, lambda: stored)
    with pytest.raises(TransportError, match="a.txt can't be read"):
        for chunk in part.chunks():
            sent += len(chunk)
    assert sent <= size
    assert sum(read) <= 2 * CHUNK


def test_a_name_opens_no_header() -> None:
    body = Multipart([TextPart('a"\r\nX: y', "v")], "b")
    assert b"".join(body.chunks()) == (
        b'--b\r\nContent-Disposition: form-data; name="a%22%0D%0AX: y"\r\n\r\nv\r\n'
        b"--b--\r\n"
    )
    assert len(body) == len(b"".join(body.chunks()))


def test_as_a_curl_command_the_files_are_of_the_present_folder() -> None:
    part = FilePart("file", "-a.txt", "text/plain", 1, "", 1, lambda: None)  # type: ignore[arg-type,return-value]
    body = Multipart([TextPart("note", "@x"), part], "b")
    headers = [("Content-Type", body.content_type), ("X-A", "1")]
    text = curl.write("POST", "https://a.example/", headers, body.in_words(), "***")
    assert text.splitlines()[1:] == [
        "  -H 'X-A: 1' \\",
        "  --form-string note=@x \\",
        """  -F 'file=@"./-a.txt";type=text/plain'""",
    ]
