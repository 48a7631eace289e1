"""People, programs and other systems that go on while parts of it all are killed.

Whoever gets no response, or that of a server in trouble, asks once more at the other
web server, as a proxy in front of both does. While the database is away nobody can be
helped by that, so they wait until it is back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import requests
from django.test import Client

from feedback.models import FeedbackType
from macros.models import Listener, Macro
from tests import factories
from tests.api.callers import issue_key
from tests.processes.calling import signed

PAGES = (
    "/admin/",
    "/admin/feedback/feedback/",
    "/admin/logs/run/",
    "/admin/logs/delivery/",
    "/api/v1/feedback/",
)
# Between two requests of one visitor, so that the machine has room for the work.
PAUSE = 0.03


class Visitors:
    """Each in a thread: one makes tickets and performs a macro, one calls, two read."""

    def __init__(
        self, urls: Sequence[str], bugs: FeedbackType, macro: Macro, heard: Listener
    ) -> None:
        self._urls = urls
        self._type, self._macro = bugs.pk, macro.pk
        self.hook = f"/hooks/{heard.key}/"
        self._token = {"Authorization": f"Bearer {issue_key(bugs, scope_write=True)}"}
        person = Client()
        person.force_login(factories.superuser())
        self._cookies = {"sessionid": person.cookies["sessionid"].value}
        self._stopped = threading.Event()
        # Set while the database is there.
        self.database_up = threading.Event()
        self.database_up.set()
        self._threads = [
            threading.Thread(target=self._go_on, args=(visit,))
            for visit in (self._work, self._call, self._read, self._read)
        ]
        self.made: list[int] = []
        self.performed = 0
        self.calls: list[int] = []
        self.read = 0
        # Why they have asked once more.
        self.retries: list[str] = []
        self.failed: list[str] = []

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    @property
    def retried(self) -> int:
        return len(self.retries)

    @property
    def served(self) -> int:
        return len(self.made) + self.performed + len(self.calls) + self.read

    def _go_on(self, visit: Callable[[requests.Session, int], None]) -> None:
        with requests.Session() as session:
            for number in count():
                if self._stopped.is_set():
                    break
                visit(session, number)
                time.sleep(PAUSE)

    def _work(self, session: requests.Session, number: int) -> None:
        """A trigger runs a macro on the ticket; then another one is performed on it."""
        key = {**self._token, "Idempotency-Key": f"ticket {number}"}
        body = {"type": self._type, "title": f"Ticket {number}"}
        post = {"method": "POST", "number": number}
        made = self._ask(session, "/api/v1/feedback/", headers=key, json=body, **post)
        if made is None:
            return
        self.made.append(number)
        path, ids = f"/api/v1/macros/{self._macro}/runs/", {"ids": [made.json()["id"]]}
        if self._ask(session, path, headers=key, json=ids, **post) is not None:
            self.performed += 1

    def _call(self, session: requests.Session, number: int) -> None:
        """Not so often, since a listener's calls are worked on one by one."""
        time.sleep(5 * PAUSE)
        body, headers = signed(number)
        call = {"method": "POST", "number": number}
        if self._ask(session, self.hook, data=body, headers=headers, **call):
            self.calls.append(number)

    def _read(self, session: requests.Session, number: int) -> None:
        path = PAGES[number % len(PAGES)]
        if path.startswith("/api/"):
            page = self._ask(session, path, number, headers=self._token)
        else:
            page = self._ask(session, path, number, cookies=self._cookies)
        self.read += page is not None

    def _ask(
        self, session: requests.Session, path: str, number: int, **request: Any
    ) -> requests.Response | None:
        """At each of the servers first by turns; None where both have failed."""
        for tries in range(2):
            url = self._urls[(number + tries) % 2] + path
            why = "no connection"
            try:
                request.setdefault("method", "GET")
                response = session.request(
                    url=url, timeout=30, allow_redirects=False, **request
                )
                if response.status_code < 300:
                    return response
                why = f"{response.status_code}: {response.text[:200]}"
            except requests.RequestException as error:
                why = str(error)
            failure = f"{request['method']} {path}: {why}"
            if not tries:
                self.retries.append(failure)
                self.database_up.wait(60)
        self.failed.append(failure)
        return None
