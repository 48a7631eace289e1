"""Address validation, whole: from testers who arrive to an e-mail to whom it concerns.

As docs/external-data.md tells it, on real processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from django.test import Client
from django.urls import reverse

from centerhook.receiver import Receiver
from feedback.access.roles import Role
from feedback.models import FeedbackType
from feedback.models import Tester as Person
from logs.models import Delivery, Run
from macros.models import Macro, Secret
from macros.queue import has_worker
from macros.steps.kinds.web_request import WebRequest
from tests import factories
from tests.api.callers import issue_key
from tests.processes.conftest import wait_until
from tests.processes.web import start_web
from tests.smtp import MailServer

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

ADDRESS = {"street1": "215 Clayton St", "city": "San Francisco", "country": "US"}
TESTERS = 6
LETTER = {
    "kind": "send_email",
    "to": "((Email))",
    "subject": "Your address, ((First Name))",
    "body": "We could not find it: ((External: address_message))",
}


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


def shippo(bugs: FeedbackType, receiver: Receiver) -> Macro:
    """The preset's macro for all testers, as a Community Manager makes it."""
    manager = Client()
    manager.force_login(factories.member(bugs, Role.COMMUNITY_MANAGER, "mia"))
    community = bugs.project.community_id
    form = {
        "name": "Validate addresses",
        "testers_of": f"community-{community}",
        "keep_in": "community",
        "secret_shippo_token_name": "shippo_token",
        "secret_shippo_token_value": "shippo-live-token",
    }
    page = reverse("admin:macros_macro_new_preset", args=["shippo"])
    response = manager.post(page, form)
    assert response.status_code == 302, response.context["form"].errors
    # The receiver responds as Shippo does: every second address is not found.
    Secret.objects.update(hosts="127.0.0.1")
    WebRequest.objects.update(url=f"{receiver.url}/shippo/addresses/")
    return Macro.objects.get()


def test_testers_arrive_and_those_with_a_bad_address_get_an_e_mail(
    start: Callable[..., Any], receiver: Receiver, mail: MailServer
) -> None:
    bugs = factories.feedback_type()
    community = bugs.project.community
    factories.trigger(shippo(bugs, receiver), "tester_added")
    letter = factories.steps(factories.macro(community, name="Ask again"), LETTER)
    token = issue_key(bugs, scope_write=True)
    for process in ("worker", "clock"):
        start(process, EMAIL_URL=f"smtp://127.0.0.1:{mail.port}")
    api = f"{start_web(start)}/api/v1"
    wait_until(has_worker)
    with requests.Session() as program:
        program.headers["Authorization"] = f"Bearer {token}"

        def post(path: str, body: dict[str, Any], status: int) -> Any:
            response = program.post(f"{api}/{path}", json=body, timeout=30)
            assert response.status_code == status, response.text
            return response.json()

        people = [
            {"email": f"t{number}@example.com", "first_name": f"T{number}", **ADDRESS}
            for number in range(TESTERS)
        ]
        assert post("testers/batch/", {"testers": people}, 200)["created"] == TESTERS

        run = Run.objects.get()
        assert (run.cause, run.total) == ("trigger", TESTERS)
        wait_until(lambda: Delivery.objects.filter(state="delivered").count() == 6)
        results = dict(Person.objects.values_list("email", "external_data"))
        bad = {email for email, data in results.items() if not data["address_valid"]}
        assert len(bad) == TESTERS / 2

        no: dict[str, Any] = {"field": "external_address_valid", "qualifier": "is"}
        conditions = {"match": "all", "conditions": [no | {"value": "false"}]}
        saved = {"name": "Bad addresses", "conditions": conditions}
        chosen = post("filters/", saved, 201)
        page = program.get(f"{api}/testers/", params={"filter": "Bad addresses"})
        assert {each["email"] for each in page.json()["results"]} == bad
        assert chosen["used_by"] == []

        asked = {"saved_filter": "Bad addresses"}
        post(f"macros/{letter.pk}/runs/", asked, 201)
        wait_until(lambda: len(mail.messages) == len(bad))
    assert sorted(mail.recipients) == sorted(bad)
    texts = {str(message.get_payload()).strip() for message in mail.messages}
    assert texts == {"We could not find it: The street was not found."}
    sent = [request.head for request in receiver.requests]
    assert all("ShippoToken shippo-live-token" in str(head) for head in sent)
