"""A small stand-in of Jira Cloud: REST v3 in its real shapes, and its webhooks.

People change issues by its methods; what Jira would send of each change waits in
`webhooks` until the test sends it, in whatever order and how often it likes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
import uuid
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import requests

OURS, ROBIN = "557058:0a1b", "557058:9f8e"
STATUSES = {"11": "To Do", "21": "In Progress", "31": "In Review", "41": "Done"}
_ISSUE = re.compile(r"/rest/api/3/issue(?:/([A-Z]+-\d+)(?:/(transitions|comment))?)?")


@dataclass
class Webhook:
    """One message, with the identifier that it keeps on every try."""

    event: str
    body: bytes
    identifier: str = field(default_factory=lambda: str(uuid.uuid4()))


class Jira:
    """As a context manager it serves in a thread of its own."""

    def __init__(self, email: str, token: str, secret: str) -> None:
        self.login = "Basic " + b64encode(f"{email}:{token}".encode()).decode()
        self.secret = secret
        self.issues: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str]] = []
        self.webhooks: list[Webhook] = []
        # Where webhooks of an event go.
        self.hooks: dict[str, str] = {}
        # Done after an issue was made, before Jira says so.
        self.before_response: Callable[[], None] = lambda: None
        self._clock = 1_764_058_334_000
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def send(self, *webhooks: Webhook) -> list[int]:
        """Each to where its event is heard; returns what was responded."""
        statuses = []
        for each in webhooks:
            signature = hmac.new(self.secret.encode(), each.body, hashlib.sha256)
            headers = {
                "Content-Type": "application/json; charset=UTF-8",
                "X-Atlassian-Webhook-Identifier": each.identifier,
                "X-Atlassian-Webhook-Flow": "Primary",
                "X-Hub-Signature": f"sha256={signature.hexdigest()}",
            }
            if url := self.hooks.get(each.event):
                sent = requests.post(url, each.body, headers=headers, timeout=10)
                statuses.append(sent.status_code)
        return statuses

    def move(self, key: str, status: str, by: str = ROBIN) -> None:
        before = self.issues[key]["status"]["name"]
        self.issues[key]["status"] = {"name": status}
        self._changed(key, "status", before, status, by)

    def comment(
        self, key: str, text: str, by: str = ROBIN, *, whole: bool = True
    ) -> None:
        """Jira leaves the issue out at times."""
        number = str(10_000 + len(self.webhooks))
        author = {"accountId": by, "displayName": "Robin Ives"}
        comment = {"id": number, "author": author, "body": text}
        issue = {"issue": self._issue(key)} if whole else {}
        self._happened("comment_created", comment=comment, **issue)

    def assign(self, key: str) -> None:
        """An update that comes without a changelog."""
        user = {"accountId": ROBIN, "displayName": "Robin Ives"}
        self._happened("jira:issue_updated", user=user, issue=self._issue(key))

    def make(self, fields: dict[str, Any]) -> dict[str, str]:
        number = 41 + len(self.issues)
        key = f"NW-{number}"
        self.issues[key] = {**fields, "status": {"name": "To Do"}}
        user = {"accountId": OURS}
        self._happened("jira:issue_created", user=user, issue=self._issue(key))
        site = f"{self.url}/rest/api/3/issue/{10_000 + number}"
        return {"id": str(10_000 + number), "key": key, "self": site}

    def edit(self, key: str, fields: dict[str, Any]) -> None:
        for name, value in fields.items():
            before = self.issues[key].get(name)
            self.issues[key][name] = value
            self._changed(key, name, str(before), str(value), OURS)

    def _issue(self, key: str) -> dict[str, Any]:
        fields = json.loads(json.dumps(self.issues[key]))
        return {"id": f"100{key[3:]}", "key": key, "fields": fields}

    def _changed(self, key: str, name: str, before: str, after: str, by: str) -> None:
        item = {"field": name, "fieldId": name, "fromString": before, "toString": after}
        user = {"accountId": by, "displayName": "Robin Ives"}
        self._happened(
            "jira:issue_updated",
            user=user,
            issue=self._issue(key),
            changelog={"id": "1", "items": [item]},
        )

    def _happened(self, event: str, **members: Any) -> None:
        self._clock += 300  # Three within a second.
        data = {"timestamp": self._clock, "webhookEvent": event, **members}
        self.webhooks.append(Webhook(event, json.dumps(data).encode()))

    def respond(self, method: str, path: str, data: Any) -> tuple[int, object]:
        self.requests.append((method, path))
        known = _ISSUE.fullmatch(path)
        key, part = (known[1], known[2]) if known else (None, None)
        if known is None or (key and key not in self.issues):
            messages = ["Issue does not exist or you do not have permission to see it."]
            return 404, {"errorMessages": messages, "errors": {}}
        match method, bool(key), part:
            case "POST", False, None:
                made = self.make(data["fields"])
                self.before_response()
                return 201, made
            case "PUT", True, None:
                self.edit(key, data["fields"])
                return 204, None
            case "GET", True, "transitions":
                rows = [{"id": pk, "name": name} for pk, name in STATUSES.items()]
                return 200, {"transitions": rows}
            case "POST", True, "transitions":
                self.move(key, STATUSES[data["transition"]["id"]], OURS)
                return 204, None
            case "POST", True, "comment":
                self.comment(key, json.dumps(data["body"]), OURS)
                return 201, {"id": "10088"}
        return 405, {"errorMessages": ["Method Not Allowed"]}


def _handler(jira: Jira) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            data = json.loads(self.rfile.read(length) or b"null")
            if self.headers.get("Authorization") != jira.login:
                status, body = 401, {"errorMessages": ["You are not authenticated."]}
            else:
                status, body = jira.respond(self.command, self.path, data)
            text = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json;charset=UTF-8")
            if status != 204:
                self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = _any  # noqa: N815 - as the base class names them

        def log_message(self, *arguments: object) -> None:
            pass

    return Handler
