"""What the receiver remembers: bounded, however much arrives."""

from __future__ import annotations

import json
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

MAX_REQUESTS = 200
MAX_BYTES = 32_000_000
MAX_IDS = 1_000_000
MAX_PATHS = 1_000
OTHER_PATHS = "(other paths)"

DELIVERY_ID = b"webhook-id"


@dataclass(slots=True)
class Received:
    """One request. `head` is the request line and the header lines as they came."""

    method: str
    target: str
    head: bytes
    body: bytes
    at: float
    status: int = 0

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def headers(self) -> list[tuple[str, str]]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        pairs = (line.partition(":") for line in lines)
        return [(name.strip(), value.strip()) for name, _, value in pairs]

    @property
    def delivery_id(self) -> str:
        return find_header(self.head, self.head.lower(), DELIVERY_ID)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        return json.loads(self.body)


def find_header(head: bytes, lowered: bytes, name: bytes) -> str:
    """A header's value, or empty; `lowered` is the head in small letters, as `name`."""
    start = lowered.find(b"\r\n" + name + b":")
    if start < 0:
        return ""
    start += len(name) + 3
    end = head.find(b"\r\n", start)
    value = head[start:] if end < 0 else head[start:end]
    return value.strip().decode("latin-1")


class Memory:
    """The totals of everything, and the last requests in full."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.total = 0
        self.paths: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()
        self.requests: deque[Received] = deque(maxlen=MAX_REQUESTS)
        self._bytes = 0

    def add(self, request: Received, delivery_id: str) -> None:
        self.total += 1
        path = request.path
        known = path in self.paths or len(self.paths) < MAX_PATHS
        self.paths[path if known else OTHER_PATHS] += 1
        if delivery_id and (delivery_id in self.ids or len(self.ids) < MAX_IDS):
            self.ids[delivery_id] += 1
        self._keep(request)

    def _keep(self, request: Received) -> None:
        if len(self.requests) == MAX_REQUESTS:
            self._bytes -= len(self.requests.popleft().body)
        self.requests.append(request)
        self._bytes += len(request.body)
        while self._bytes > MAX_BYTES:
            self._bytes -= len(self.requests.popleft().body)

    @property
    def repeated(self) -> int:
        """How many deliveries arrived more than once."""
        return sum(1 for count in self.ids.values() if count > 1)
