"""Systems that call a listener again and again until it takes the call."""

from __future__ import annotations

import http.client
import json
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from hmac import digest

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SENDERS = 4
_PATIENCE = 120


class Senders:
    """Each call has an id of its own, which stays the same when it is sent again."""

    def __init__(self, port: int, path: str) -> None:
        self._port, self._path = port, path
        self._kept = threading.local()
        self.taken: list[int] = []
        self.unheard = 0

    def send_all(self, numbers: Iterable[int]) -> None:
        with ThreadPoolExecutor(SENDERS) as threads:
            list(threads.map(self.send, numbers))

    def send(self, number: int) -> None:
        end = time.monotonic() + _PATIENCE
        while not self._is_taken(number):
            assert time.monotonic() < end, "no call was taken for so long"
            time.sleep(0.05)
        self.taken.append(number)

    def _is_taken(self, number: int) -> bool:
        """False where no response came, or one that asks for another try."""
        try:
            connection = self._connection()
            connection.request("POST", self._path, *signed(number))
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            self._kept.connection = None
            self.unheard += 1
            return False
        assert response.status in (200, 503), response.status
        return response.status == 200

    def _connection(self) -> http.client.HTTPConnection:
        connection = getattr(self._kept, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
            self._kept.connection = connection
        return connection


def signed(number: int) -> tuple[bytes, dict[str, str]]:
    """The body and the headers of a call: its number, and the ticket it is about."""
    body = json.dumps({"number": number, "ticket": f"BUG-{number % 10 + 1}"}).encode()
    now = int(time.time())
    key = b64decode(SECRET.removeprefix("whsec_"))
    signature = digest(key, b"msg_%d.%d.%b" % (number, now, body), "sha256")
    return body, {
        "Content-Type": "application/json",
        "webhook-id": f"msg_{number}",
        "webhook-timestamp": str(now),
        "webhook-signature": f"v1,{b64encode(signature).decode()}",
    }
