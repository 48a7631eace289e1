"""A request that is sent again does its work once."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from centerhook.api import openapi_spec
from feedback.access.roles import Role
from feedback.models import Attachment, FeedbackType, StoredResponse
from feedback.rest.idempotency import HEADER
from logs.privacy import erase_tester
from macros import jobs
from macros.models import Secret
from tests import factories
from tests.api.callers import issue_key, person, problem, program

SECRETS = "/api/v1/secrets/"
KEY = {"idempotency-key": "one"}
SLACK = {"name": "Slack", "value": "xoxb-0123456789"}


@pytest.fixture
def keeper(bugs: FeedbackType) -> APIClient:
    return program(issue_key(bugs, "Vault", scope_secrets=True))


def test_the_second_gets_the_response_of_the_first(keeper: APIClient) -> None:
    first = keeper.post(SECRETS, SLACK, headers=KEY)
    again = keeper.post(SECRETS, dict(reversed(SLACK.items())), headers=KEY)
    assert first.status_code == again.status_code == 201
    assert again.json() == first.json()
    assert "Idempotency-Replayed" not in first
    assert again["Idempotency-Replayed"] == "true"
    for name in ("Location", "ETag", "Content-Type"):
        assert again[name] == first[name]
    assert Secret.objects.count() == 1


@pytest.mark.parametrize(
    "key", ["a b", " a", "!", "~", "x" * 255, "x" * 256, "é", "a\tb", "a\x7f"]
)
def test_a_key_is_accepted_where_the_schema_has_it(keeper: APIClient, key: str) -> None:
    post = openapi_spec()["paths"][SECRETS]["post"]
    [header] = [each for each in post["parameters"] if each["name"] == HEADER]
    is_known = re.search(header["schema"]["pattern"], key) is not None
    response = keeper.post(SECRETS, SLACK, headers={HEADER: key})
    assert response.status_code == (201 if is_known else 400)


def test_another_body_is_refused_and_another_key_or_url_is_another_call(
    keeper: APIClient, bugs: FeedbackType
) -> None:
    keeper.post(SECRETS, SLACK, headers=KEY)
    other = {**SLACK, "name": "Jira"}
    refused = keeper.post(SECRETS, other, headers=KEY)
    problem(refused, 422, "idempotency_key_reused")
    two = {"idempotency-key": "two"}
    assert keeper.post(SECRETS, other, headers=two).status_code == 201
    second = program(issue_key(bugs, "Another", scope_secrets=True))
    third = {**SLACK, "name": "GitHub"}
    assert second.post(SECRETS, third, headers=KEY).status_code == 201
    fields = keeper.post("/api/v1/filters/fields/", {"type": bugs.pk}, headers=KEY)
    assert fields.status_code == 200


def test_a_refusal_is_not_kept_and_leaves_nothing(keeper: APIClient) -> None:
    problem(keeper.post(SECRETS, {"name": "Slack"}, headers=KEY), 400, "invalid")
    assert not StoredResponse.objects.exists()
    assert keeper.post(SECRETS, SLACK, headers=KEY).status_code == 201


def test_after_a_day_it_is_a_new_call(keeper: APIClient) -> None:
    keeper.post(SECRETS, SLACK, headers=KEY)
    Secret.objects.all().delete()
    StoredResponse.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert keeper.post(SECRETS, SLACK, headers=KEY).status_code == 201
    assert Secret.objects.count() == 1
    StoredResponse.objects.update(created_at=timezone.now() - timedelta(hours=25))
    jobs.wake()
    assert not StoredResponse.objects.exists()


def test_files_are_part_of_what_was_sent(bugs: FeedbackType) -> None:
    writer = program(issue_key(bugs, "Files", scope_write=True))
    url = f"/api/v1/feedback/{factories.ticket(bugs).pk}/attachments/"

    def send(text: bytes) -> Any:
        file = SimpleUploadedFile("a.txt", text)
        return writer.post(url, {"file": file}, format="multipart", headers=KEY)

    first = send(b"one")
    assert first.status_code == 201 and send(b"one").json() == first.json()
    assert Attachment.objects.count() == 1
    problem(send(b"two"), 422, "idempotency_key_reused")


def test_an_erasure_takes_the_response_and_the_work_is_not_done_again(
    bugs: FeedbackType,
) -> None:
    """Also a response that was kept for a person, who may act in several."""
    manager = person(factories.member(bugs, Role.COMMUNITY_MANAGER, "mona"))
    ada = {"email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace"}
    batch = "/api/v1/testers/batch/"
    sent = {"testers": [ada], "community": bugs.project.community_id}
    manager.post(batch, sent, headers=KEY)
    [tester] = bugs.project.community.testers.all()
    StoredResponse.objects.update(body='{"email": "ada@example.com"}')
    writer = program(issue_key(bugs, "Batches", scope_write=True))
    writer.post(batch, sent, headers=KEY)
    StoredResponse.objects.exclude(community=None).update(body='"ada@example.com"')
    erase_tester(tester, None)
    assert {*StoredResponse.objects.values_list("body", flat=True)} == {""}
    for caller in (manager, writer):
        again = caller.post(batch, sent, headers=KEY)
        problem(again, 409, "response_erased")


@pytest.mark.django_db(transaction=True)
def test_two_at_once_do_it_once(bugs: FeedbackType) -> None:
    token = issue_key(bugs, "Vault", scope_secrets=True)
    start = threading.Barrier(4)
    responses: list[Any] = []

    def call() -> None:
        client = program(token)
        start.wait()
        responses.append(client.post(SECRETS, SLACK, headers=KEY))
        connection.close()

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.status_code for each in responses] == [201] * 4
    assert len({each.content for each in responses}) == 1
    assert Secret.objects.count() == 1
