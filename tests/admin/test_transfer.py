"""The pages of imports and exports."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback.access.roles import Role
from feedback.models import Feedback, FeedbackType, TicketImport
from feedback.transfer import exports
from tests import factories

IMPORT = reverse("admin:feedback_feedback_import")


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


def send(page: Client, of: FeedbackType, data: bytes) -> Any:
    file = factories.upload("tickets.csv", data)
    return page.post(f"{IMPORT}?type={of.pk}", {"file": file})


def client_of(of: FeedbackType, role: str) -> Client:
    client = Client()
    client.force_login(factories.member(of, role))
    return client


def test_a_file_is_shown_before_it_is_imported(
    page: Client, bugs: FeedbackType
) -> None:
    shown = send(page, bugs, b"title,severity\nOne,Major\nTwo,Mjor\n")
    url = shown["Location"]
    html = page.get(url).content.decode()
    assert "2 rows: 1 would be new tickets" in html and "1 can&#x27;t be" not in html
    assert "Import 1 row<" in html and "<td>Mjor</td>" in html
    assert not Feedback.objects.exists()
    page.post(url, {"start": "1"})
    html = page.get(url).content.decode()
    assert "Imported: 1 new, 0 changed, 0 as before; 1 refused" in html
    assert Feedback.objects.get().title == "One"
    refused = b"".join(page.get(f"{url}refused/")).decode()  # type: ignore[arg-type]
    assert refused.splitlines()[1].startswith("Two,Mjor,")


def test_a_file_that_cannot_be_read_is_told_on_the_page(
    page: Client, bugs: FeedbackType
) -> None:
    html = send(page, bugs, b"titel\nx\n").content.decode()
    assert "Did you mean &#x27;title&#x27;?" in html
    assert not TicketImport.objects.exists()


def test_only_those_who_may_add_tickets_import_and_only_their_own(
    bugs: FeedbackType,
) -> None:
    made = factories.ticket_import(bugs)
    url = reverse("admin:feedback_feedback_imported", args=[made.pk])
    support, observer = (
        client_of(bugs, each) for each in (Role.SUPPORT, Role.OBSERVER)
    )
    stranger = client_of(factories.feedback_type(), Role.COMMUNITY_MANAGER)
    assert [each.get(url).status_code for each in (support, observer, stranger)] == [
        200,
        404,
        404,
    ]
    assert observer.get(IMPORT).status_code == 403
    assert send(stranger, bugs, b"title\nx\n").status_code == 200
    assert TicketImport.objects.count() == 1


def test_the_list_is_exported_as_it_is_filtered(
    page: Client, bugs: FeedbackType
) -> None:
    factories.ticket(bugs, title="=1+1", form_values={"severity": "Major"})
    factories.ticket(bugs, title="Other", form_values={"severity": "Minor"})
    url = reverse("admin:feedback_feedback_export", args=["csv"])
    response: Any = page.get(f"{url}?type={bugs.pk}&field_severity=Major")
    lines = b"".join(response).decode("utf-8-sig").splitlines()
    assert len(lines) == 2 and lines[1].startswith("BUG-1,'=1+1,")
    book = page.get(url.replace("csv", "xlsx") + f"?type={bugs.pk}")
    assert b"".join(book).startswith(b"PK")  # type: ignore[arg-type]
    assert page.get(url.replace("csv", "exe")).status_code == 404


def test_an_export_holds_ones_own_tickets_only(bugs: FeedbackType) -> None:
    factories.ticket(bugs, title="Secret plan")
    stranger = client_of(factories.feedback_type(), Role.OBSERVER)
    response: Any = stranger.get(
        reverse("admin:feedback_feedback_export", args=["csv"])
    )
    assert b"Secret plan" not in b"".join(response)


def test_more_than_a_file_takes_is_refused_with_a_sentence(
    page: Client, bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedback.admin.exporting.MAX_ROWS", 1)
    factories.tickets(bugs, 2)
    response = page.get(reverse("admin:feedback_feedback_export", args=["csv"]))
    assert response.status_code == 400
    assert "Narrow the list by a filter" in response.content.decode()
    assert exports.MAX_ROWS == 100_000


@pytest.mark.parametrize("text", ["9" * 5_000, "9" * 19, "²", "-1", "x"])
def test_what_names_no_type_asks_for_one(page: Client, text: str) -> None:
    response = page.get(reverse("admin:feedback_feedback_import"), {"type": text})
    assert response.status_code == 200
    assert "Tickets of which type?" in response.content.decode()
