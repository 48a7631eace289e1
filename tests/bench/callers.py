"""Another system that calls a listener, in a process of its own.

Over kept connections, by sockets alone: a client library would need more of the
processor than what is measured.
"""

from __future__ import annotations

import hmac
import json
import selectors
import socket
import time
from base64 import b64decode, b64encode

_TEXT = "It stops while it starts, and then it starts while it stops. " * 8


def signed(secret: str, number: int) -> tuple[bytes, dict[str, str]]:
    """A body of some 600 bytes, different for each number, and its headers."""
    body = json.dumps(
        {
            "event": "issue_updated",
            "text": f"{number}: {_TEXT}",
            "issue": {"reference": f"BUG-{number % 20 + 1}", "status": "Done"},
        }
    ).encode()
    key, now = b64decode(secret.removeprefix("whsec_")), int(time.time())
    digest = hmac.digest(key, b"msg_%d.%d.%b" % (number, now, body), "sha256")
    return body, {
        "webhook-id": f"msg_{number}",
        "webhook-timestamp": str(now),
        "webhook-signature": f"v1,{b64encode(digest).decode()}",
    }


def _request(key: str, secret: str, number: int) -> bytes:
    body, headers = signed(secret, number)
    lines = [
        f"POST /hooks/{key}/ HTTP/1.1",
        "Host: localhost",
        "User-Agent: bench/1.0",
        "Accept: */*",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _is_whole(response: bytes) -> bool:
    if not response:
        raise RuntimeError("The web server closed the connection.")
    head, gap, body = response.partition(b"\r\n\r\n")
    if not gap:
        return False
    if not head.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(response.decode(errors="replace"))
    length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
    return len(body) >= int(length)


def flood(port: int, key: str, secret: str, count: int, connections: int) -> None:
    """As fast as each connection gets its response."""
    requests = [_request(key, secret, number) for number in range(count)]
    requests.reverse()
    selector = selectors.DefaultSelector()
    begun, open_now = time.monotonic(), 0
    for _ in range(min(connections, count)):
        each = socket.create_connection(("127.0.0.1", port))
        each.sendall(requests.pop())
        selector.register(each, selectors.EVENT_READ, bytearray())
        open_now += 1
    while open_now:
        for ready, _ in selector.select(30):
            each, response = ready.fileobj, ready.data
            assert isinstance(each, socket.socket)
            response += each.recv(65_536)
            if not _is_whole(bytes(response)):
                continue
            response.clear()
            if requests:
                each.sendall(requests.pop())
            else:
                selector.unregister(each)
                each.close()
                open_now -= 1
    print(json.dumps({"per_second": count / (time.monotonic() - begun)}))


def steady(port: int, key: str, secret: str, count: int, connections: int) -> None:
    """A hundred a second, each at its moment, whatever became of those before it."""
    requests = [_request(key, secret, number) for number in range(count)]
    free = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    selector = selectors.DefaultSelector()
    took: list[float] = []
    waiting: list[tuple[float, bytes]] = []
    begun = time.monotonic()
    sent = 0
    while len(took) < count:
        now = time.monotonic() - begun
        while sent < count and sent / 100 <= now:
            waiting.append((sent / 100, requests[sent]))
            sent += 1
        while waiting and free:
            due, request = waiting.pop(0)
            each = free.pop()
            each.sendall(request)
            selector.register(each, selectors.EVENT_READ, (due, bytearray()))
        pause = max(0.0, sent / 100 - (time.monotonic() - begun)) if sent < count else 5
        for ready, _ in selector.select(pause):
            each, (due, response) = ready.fileobj, ready.data
            assert isinstance(each, socket.socket)
            response += each.recv(65_536)
            if _is_whole(bytes(response)):
                took.append(time.monotonic() - begun - due)
                selector.unregister(each)
                free.append(each)
    took.sort()
    print(json.dumps({"p99_ms": took[int(len(took) * 0.99)] * 1000}))
