"""External sources on real processes: many callers at once, broken-off bodies."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from feedback.models import Feedback, SourceTicket
from feedback.models import Tester as Person
from tests import factories
from tests.api.callers import issue_key
from tests.processes.conftest import wait_until
from tests.processes.web import start_web

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

AT_ONCE = 20


def test_twenty_of_one_key_make_one_ticket_and_twenty_keys_leave_no_gap(
    start: Callable[..., Any],
) -> None:
    bugs = factories.feedback_type()
    new = bugs.statuses.get(name="New")
    source = factories.source(bugs, default_status=new, makes_testers=True)
    token = issue_key(bugs, scope_listener=True)
    url = f"{start_web(start)}/sources/{source.key}/"

    def post(key: str) -> requests.Response:
        return requests.post(
            url,
            json={"title": "It breaks", "submitter": "new@example.com"},
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": key},
            timeout=60,
        )

    same = at_once([lambda: post("one")] * AT_ONCE)
    assert {each.status_code for each in same} == {201}
    assert {each.json()["reference"] for each in same} == {"BUG-1"}
    assert Feedback.objects.count() == SourceTicket.objects.count() == 1
    keys = [f"key {number}" for number in range(AT_ONCE)]
    each_own = at_once([lambda key=key: post(key) for key in keys])  # type: ignore[misc]
    assert {each.status_code for each in each_own} == {201}
    references = sorted(each.json()["reference"] for each in each_own)
    assert references == sorted(f"BUG-{number + 2}" for number in range(AT_ONCE))
    assert Person.objects.count() == 1


def at_once(posts: list[Callable[[], requests.Response]]) -> list[requests.Response]:
    barrier = threading.Barrier(len(posts))
    responses: list[requests.Response] = []

    def one(post: Callable[[], requests.Response]) -> None:
        barrier.wait()
        responses.append(post())

    threads = [threading.Thread(target=one, args=(post,)) for post in posts]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return responses


def test_a_body_that_breaks_off_makes_nothing_and_the_server_goes_on(
    start: Callable[..., Any],
) -> None:
    bugs = factories.feedback_type()
    new = bugs.statuses.get(name="New")
    source = factories.source(bugs, default_status=new)
    token = issue_key(bugs, scope_listener=True)
    base = start_web(start)
    address = urlsplit(base)
    head = (
        f"POST /sources/{source.key}/ HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        "Content-Length: 1000\r\n\r\n"
    )
    for _ in range(5):
        with socket.create_connection((address.hostname, address.port)) as caller:
            caller.sendall(head.encode() + b'{"title": "It br')
            caller.shutdown(socket.SHUT_WR)
            caller.settimeout(30)
            first = caller.recv(1000)
            assert not first or b" 400 " in first.splitlines()[0]
    fine = requests.post(
        f"{base}/sources/{source.key}/",
        json={"title": "x", "submitter": factories.tester(bugs).email},
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    assert fine.json()["reference"] == "BUG-1"
    wait_until(lambda: Feedback.objects.count() == 1)
