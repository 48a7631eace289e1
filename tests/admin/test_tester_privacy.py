"""The tester's page: export what is stored, and erase after a confirmation."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse

from centerhook.receiver import Receiver
from feedback.access.roles import Role
from feedback.models import FeedbackType
from feedback.models import Tester as Person
from logs.models import AuditEntry, Delivery
from macros.deliveries.claims import claim_due
from tests import factories
from tests.logs import people


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def zoe(bugs: FeedbackType) -> Person:
    return people.a_person(bugs)


@pytest.fixture
def manager(bugs: FeedbackType) -> Client:
    """Mia, the community's manager."""
    return signed_in(bugs, Role.COMMUNITY_MANAGER)


def signed_in(of: FeedbackType, role: Role) -> Client:
    client = Client()
    client.force_login(factories.member(of, role))
    return client


def page_of(tester: Person, name: str) -> str:
    return reverse(f"admin:feedback_tester_{name}", args=[tester.pk])


def read(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def test_the_export_is_downloaded(manager: Client, zoe: Person) -> None:
    assert page_of(zoe, "export") in read(manager, page_of(zoe, "change"))
    response = manager.get(page_of(zoe, "export"))
    assert response["Content-Type"] == "application/json"
    named = f'attachment; filename="tester-{zoe.pk}.json"'
    assert response["Content-Disposition"] == named
    document = json.loads(b"".join(response.streaming_content))  # type: ignore[arg-type]
    assert document["profile"]["email"] == people.EMAIL


def test_the_confirmation_counts_and_names_what_is_out_of_reach(
    manager: Client, bugs: FeedbackType, zoe: Person, receiver: Receiver
) -> None:
    people.a_run(bugs, f"{receiver.url}/status/500", ladder="1 h")
    assert page_of(zoe, "erase") in read(manager, page_of(zoe, "change"))
    html = read(manager, page_of(zoe, "erase"))
    assert "2 tickets and 2 comments on them stay" in html
    assert "2 requests on the log lose address" in html
    assert "2 deliveries that wait to be sent will be cancelled" in html
    assert f"<td>{receiver.url}</td><td>2</td>" in html
    assert "Backups of the database" in html
    assert "being sent" not in html


@pytest.mark.parametrize("typed", [{}, {"email": ""}, {"email": "Zoë O'Brien"}])
def test_without_the_email_nothing_is_erased(
    manager: Client, zoe: Person, typed: dict[str, str]
) -> None:
    assert "checked" not in read(manager, page_of(zoe, "erase"))
    response = manager.post(page_of(zoe, "erase"), typed | {"remove_texts": "on"})
    html = response.content.decode()
    assert "so nothing was erased" in html and 'id="id_remove_texts" checked' in html
    zoe.refresh_from_db()
    assert (zoe.email, zoe.erased_at) == (people.EMAIL, None)


def test_with_the_email_she_is_erased_and_the_page_says_so(
    manager: Client, zoe: Person
) -> None:
    response = manager.post(page_of(zoe, "erase"), {"email": people.EMAIL}, follow=True)
    html = response.content.decode()
    assert "as far as it is within reach" in html and "by person" in html
    assert people.telling_in(people.everything_stored()) == []
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.object_id) == ("erased", zoe.pk)


def test_the_texts_go_too_if_that_is_ticked_at_once_or_later(
    manager: Client, zoe: Person
) -> None:
    manager.post(page_of(zoe, "erase"), {"email": people.EMAIL})
    assert zoe.tickets.exclude(description="").exists()
    assert "Remove the texts too" in read(manager, page_of(zoe, "change"))
    assert 'id="id_remove_texts" checked' in read(manager, page_of(zoe, "erase"))
    form = {"email": f"erased-{zoe.pk}@invalid", "remove_texts": "on"}
    manager.post(page_of(zoe, "erase"), form)
    assert not zoe.tickets.exclude(description="").exists()


def test_what_is_on_the_wire_is_said_and_finished_later(
    manager: Client, bugs: FeedbackType, zoe: Person
) -> None:
    run = factories.run(factories.macro(bugs, "http://127.0.0.1:9/"))
    claim_due(run.pk, 1, "a")
    assert "1 request about the tickets is being sent" in read(
        manager, page_of(zoe, "erase")
    )
    form = {"email": people.EMAIL}
    html = manager.post(page_of(zoe, "erase"), form, follow=True).content.decode()
    assert "1 request is being sent at this moment" in html
    assert "The erasure is not finished" in html and "Finish the erasure" in html
    Delivery.objects.update(lease="")
    form = {"email": f"erased-{zoe.pk}@invalid"}
    html = manager.post(page_of(zoe, "erase"), form, follow=True).content.decode()
    assert "The erasure is not finished" not in html
    assert people.telling_in(people.everything_stored()) == []


def test_a_form_that_was_open_does_not_fill_her_in_again(
    manager: Client, zoe: Person
) -> None:
    manager.post(page_of(zoe, "erase"), {"email": people.EMAIL})
    form = {"community": zoe.community_id, "external_data": "{}", **people.PROFILE}
    assert manager.post(page_of(zoe, "change"), form).status_code == 403
    assert people.telling_in(people.everything_stored()) == []


def test_the_log_says_that_the_texts_are_gone(
    manager: Client, bugs: FeedbackType, zoe: Person, receiver: Receiver
) -> None:
    run = people.a_run(bugs, f"{receiver.url}/ok")
    manager.post(page_of(zoe, "erase"), {"email": people.EMAIL})
    page = reverse("admin:logs_delivery_change", args=[run.deliveries.latest("pk").pk])
    html = read(manager, page)
    assert "POST request. The request and the response are no longer kept." in html
    assert "200: the system accepted the request." in html
    assert "when a person was erased" in html


@pytest.mark.parametrize("name", ["export", "erase"])
@pytest.mark.parametrize("role", [Role.PROJECT_MANAGER, Role.SUPPORT, Role.OBSERVER])
def test_who_may_see_her_only_is_refused(
    bugs: FeedbackType, zoe: Person, role: Role, name: str
) -> None:
    client = signed_in(bugs, role)
    assert page_of(zoe, name) not in read(client, page_of(zoe, "change"))
    url = page_of(zoe, name)
    assert client.get(url).status_code == 403
    assert client.post(url, {"email": people.EMAIL}).status_code == 403
    zoe.refresh_from_db()
    assert zoe.erased_at is None


@pytest.mark.parametrize("name", ["export", "erase"])
def test_a_manager_of_another_community_finds_nobody(zoe: Person, name: str) -> None:
    client = signed_in(factories.feedback_type(), Role.COMMUNITY_MANAGER)
    url = page_of(zoe, name)
    assert client.get(url).status_code == 404
    assert client.post(url, {"email": people.EMAIL}).status_code == 404
    zoe.refresh_from_db()
    assert zoe.erased_at is None
