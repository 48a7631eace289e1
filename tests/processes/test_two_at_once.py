"""Requests that make the same row at the same moment. Collected on PostgreSQL only."""

from __future__ import annotations

import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import requests
from django.test import Client

from feedback.models import Tester as Person
from macros.models import Secret
from tests import factories
from tests.processes.servers import OwnPostgres
from tests.processes.web import start_web

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

Start = Callable[..., subprocess.Popen[bytes]]
AT_ONCE = 4
ROUNDS = 6
BLANK = ("first_name", "last_name", "phone", "company", "street1", "street2", "city")
BLANK += ("region", "postal_code", "country")


def at_once(post: Callable[[], requests.Response]) -> Counter[int]:
    barrier, codes = threading.Barrier(AT_ONCE), []

    def one() -> None:
        barrier.wait()
        codes.append(post().status_code)

    threads = [threading.Thread(target=one) for _ in range(AT_ONCE)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return Counter(codes)


def test_of_several_at_once_one_is_made_and_the_others_are_refused(
    own_postgres: OwnPostgres, start: Start
) -> None:
    client = Client()
    client.force_login(factories.superuser())
    community = factories.feedback_type().project.community_id
    base = start_web(start)
    cookies = {"sessionid": client.cookies["sessionid"].value}
    form = requests.get(
        f"{base}/admin/feedback/tester/add/", cookies=cookies, timeout=30
    )
    token = cookies["csrftoken"] = form.cookies["csrftoken"]
    headers = {"X-CSRFToken": token, "Referer": f"{base}/admin/"}
    common: dict[str, Any] = {"cookies": cookies, "headers": headers, "timeout": 60}
    api, admin = Counter[int](), Counter[int]()
    for number in range(ROUNDS):
        secret = {"name": f"Race {number}", "value": "hunter2-hunter2"}
        tester = {"email": f"race{number}@example.com", "score": "0"}
        tester |= dict.fromkeys(BLANK, "")
        api += at_once(
            lambda secret=secret: requests.post(
                f"{base}/api/v1/secrets/",
                json={**secret, "community": community},
                **common,
            )
        )
        admin += at_once(
            lambda tester=tester: requests.post(
                f"{base}/admin/feedback/tester/add/",
                data={**tester, "community": community},
                allow_redirects=False,
                **common,
            )
        )
    refused = ROUNDS * (AT_ONCE - 1)
    assert api == {201: ROUNDS, 400: refused}
    assert admin == {302: ROUNDS, 200: refused}
    assert (Person.objects.count(), Secret.objects.count()) == (ROUNDS, ROUNDS)
