"""The step that sends e-mail, to a mail server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from django.utils import timezone

from feedback.models import ApiKey, FeedbackType
from logs.models import Attempt, Delivery, Destination, Resend, Run, delivery_id
from logs.recording.explanations import explain
from macros import deliveries
from macros.http import origin_of
from macros.models import Macro
from macros.models.usage import macros_using
from macros.runs.resend import resend
from tests import factories
from tests.factories import AN_EMAIL
from tests.smtp import MailServer

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db


@pytest.fixture
def mail(settings: Settings) -> Iterator[MailServer]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with MailServer() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


def a_macro(of: FeedbackType, *, ladder: str = "", **settings: Any) -> Macro:
    return factories.steps(factories.macro(of, ladder=ladder), AN_EMAIL | settings)


def deliver(run: Run) -> Run:
    deliveries.work(run.pk)
    run.refresh_from_db()
    return run


def test_each_ticket_sends_its_e_mail_and_the_log_shows_it(
    mail: MailServer, bugs: FeedbackType
) -> None:
    submitter = factories.tester(bugs, "tara@example.com")
    factories.tickets(bugs, 3, submitter=submitter)
    ApiKey.objects.all().delete()

    run = deliver(factories.run(a_macro(bugs)))

    assert (run.state, run.delivered) == ("finished", 3)
    assert mail.recipients == ["tara@example.com"] * 3
    sent = {str(each["Subject"]): each for each in mail.messages}
    assert set(sent) == {f"BUG-{number} is closed" for number in (1, 2, 3)}
    delivery = run.deliveries.get(subject_label="BUG-1")
    message = sent["BUG-1 is closed"]
    assert message["To"] == "tara@example.com"
    assert message["Message-ID"] == f"<{delivery_id(run.key, delivery.pk)}@localhost>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_payload() == "Dear Tara,\r\nthank you.\r\n"
    attempt = delivery.attempt_log.get()
    assert (attempt.method, attempt.url) == ("MAIL", "mailto:tara@example.com")
    assert attempt.request_headers.splitlines() == [
        "From: centerhook@localhost",
        "To: tara@example.com",
        "Subject: BUG-1 is closed",
        f"Message-ID: {message['Message-ID']}",
    ]
    assert attempt.request_body == "Dear Tara,\nthank you."
    assert explain(attempt) == "The mail server took it for tara@example.com."
    assert not Destination.objects.exists()


def test_many_e_mails_are_not_held_up_by_their_own_throttle(
    mail: MailServer, bugs: FeedbackType
) -> None:
    factories.tickets(bugs, 40)
    run = deliver(factories.run(a_macro(bugs, to="team@example.com")))
    assert run.delivered == 40
    assert len({each["Message-ID"] for each in mail.messages}) == 40


def test_a_temporary_refusal_is_tried_again_under_the_same_id(
    mail: MailServer, bugs: FeedbackType
) -> None:
    mail.refusals["a@example.com"] = ["451 try later"]
    factories.ticket(bugs)
    run = factories.run(a_macro(bugs, to="b@example.com\na@example.com", ladder="1 h"))

    deliver(run)
    assert run.deliveries.get().state == "pending"
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        deliver(run)

    assert run.delivered == 1
    first, second = Attempt.objects.order_by("pk")
    assert (first.error_class, second.error_class) == ("http", "")
    assert explain(first) == (
        "The mail server does not take a@example.com just now: 451 try later"
    )
    assert mail.recipients == ["b@example.com", "b@example.com", "a@example.com"]
    assert len({str(each["Message-ID"]) for each in mail.messages}) == 1


def test_a_refused_recipient_fails_and_the_others_get_theirs(
    mail: MailServer, bugs: FeedbackType
) -> None:
    mail.refusals["gone@example.com"] = ["550 No such user."]
    factories.ticket(bugs)
    to = "gone@example.com\nhere@example.com"

    run = deliver(factories.run(a_macro(bugs, to=to, ladder="1 s")))

    assert run.failed == 1
    assert mail.recipients == ["here@example.com"]
    assert explain(Attempt.objects.get()) == (
        "The mail server refused gone@example.com: 550 No such user."
        " Sent to here@example.com."
    )


def test_a_mail_server_that_is_away_is_tried_again(
    mail: MailServer, bugs: FeedbackType, settings: Settings
) -> None:
    settings.EMAIL_PORT = 9
    factories.ticket(bugs)
    run = deliver(factories.run(a_macro(bugs, to="a@example.com", ladder="1 h")))
    attempt = Attempt.objects.get()
    assert (attempt.error_class, attempt.outcome_unknown) == ("connect", False)
    assert explain(attempt).startswith("The mail server could not be reached.")
    assert run.deliveries.get().state == "pending"


def test_after_a_hang_up_the_outcome_is_unknown(
    mail: MailServer, bugs: FeedbackType
) -> None:
    mail.hangs_up_after_data = True
    factories.ticket(bugs)
    deliver(factories.run(a_macro(bugs, to="a@example.com")))
    attempt = Attempt.objects.get()
    assert (attempt.error_class, attempt.outcome_unknown) == ("connect", True)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "The e-mail has no recipient: the address is empty."),
        ({"title": "nobody"}, "'nobody' is not an e-mail address."),
        ({"title": "a@b.example, c@d.example"}, "is not an e-mail address."),
        ({"title": '"a,c"@d.example'}, "is not an e-mail address."),
        ({"title": "a@b.example\nBcc: c@d.example"}, "holds a line break"),
    ],
)
def test_an_address_that_is_none_fails_with_a_sentence(
    mail: MailServer, bugs: FeedbackType, values: dict[str, str], sentence: str
) -> None:
    factories.ticket(bugs, description=values.get("title", ""))
    run = deliver(factories.run(a_macro(bugs, to="((Description))")))
    assert run.failed == 1
    attempt = Attempt.objects.get()
    assert (attempt.error_class, attempt.method) == ("render", "")
    assert sentence in attempt.message
    assert not mail.messages


def test_no_header_can_be_put_into_a_subject(
    mail: MailServer, bugs: FeedbackType
) -> None:
    factories.ticket(bugs, description="Hello\r\nBcc: thief@example.com")
    macro = a_macro(bugs, to="a@example.com", subject="((Description))")
    assert deliver(factories.run(macro)).failed == 1
    assert not mail.messages


def test_secrets_are_sent_and_masked_in_the_log(
    mail: MailServer, bugs: FeedbackType
) -> None:
    secret = factories.secret(bugs, "code", "open-sesame")
    factories.ticket(bugs)
    macro = a_macro(bugs, to="a@example.com", body="Code: ((Secret: code))")

    deliver(factories.run(macro))

    assert "open-sesame" in str(mail.messages[0].get_payload())
    attempt = Attempt.objects.get()
    assert attempt.request_body == "Code: ••••••"
    assert macros_using(secret) == [macro]


def test_a_secret_bound_to_hosts_goes_into_no_e_mail(
    mail: MailServer, bugs: FeedbackType
) -> None:
    factories.secret(bugs, "code", "open-sesame", hosts="hooks.example.com")
    factories.ticket(bugs)
    macro = a_macro(bugs, to="a@example.com", body="Code: ((Secret: code))")
    assert deliver(factories.run(macro)).failed == 1
    assert Attempt.objects.get().error_class == "blocked"
    assert not mail.messages


def test_the_same_e_mail_is_sent_again_as_it_was(
    mail: MailServer, bugs: FeedbackType
) -> None:
    ticket = factories.ticket(bugs, title="Before")
    macro = a_macro(bugs, to="a@example.com", subject="((Title))", body="((Title))")
    run = deliver(factories.run(macro))
    ticket.title = "After"
    ticket.save()

    for kind in (Resend.SAME, Resend.ANEW):
        resend(Delivery.objects.all(), kind, factories.superuser(f"olivia-{kind}"))
        deliver(run)

    subjects = [str(each["Subject"]) for each in mail.messages]
    assert subjects == ["Before", "Before", "After"]
    assert len({str(each["Message-ID"]) for each in mail.messages}) == 1


def test_a_worker_that_died_leaves_an_unknown_outcome(
    mail: MailServer, bugs: FeedbackType
) -> None:
    from macros.deliveries.claims import claim_due

    factories.ticket(bugs)
    run = factories.run(a_macro(bugs, to="a@example.com", ladder="1 s"))
    claim_due(run.pk, 1, "dead")
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        deliver(run)
    lost, sent = Attempt.objects.order_by("pk")
    assert lost.outcome_unknown and sent.error_class == ""


@pytest.mark.parametrize(
    ("address", "sent_to"),
    [
        ("ada@fa\u00df.example", "ada@xn--fa-hia.example"),
        ("ada@\u03b2\u03cc\u03bb\u03bf\u03c2.example", "ada@xn--nxasmm1c.example"),
        ("ada@B\u00dcCHER.example", "ada@xn--bcher-kva.example"),
        ("ada@example.com", "ada@example.com"),
    ],
)
def test_an_e_mail_goes_to_the_domain_that_a_web_request_would_go_to(
    mail: MailServer, bugs: FeedbackType, address: str, sent_to: str
) -> None:
    factories.ticket(bugs, submitter=factories.tester(bugs, address))
    run = deliver(factories.run(a_macro(bugs)))
    assert mail.recipients == [sent_to]
    # An erasure finds the address as the tester has it.
    assert address.lower() in Attempt.objects.get(delivery__run=run).url.lower()
    host = sent_to.partition("@")[2]
    domain = address.partition("@")[2]
    assert origin_of(f"https://{domain}/") == f"https://{host}:443"


def test_a_domain_that_dns_cannot_hold_is_no_address(
    mail: MailServer, bugs: FeedbackType
) -> None:
    factories.ticket(bugs)
    run = deliver(factories.run(a_macro(bugs, to="ada@\u2603\u200d.example")))
    attempt = Attempt.objects.get(delivery__run=run)
    assert attempt.error_class == "render" and not mail.recipients
