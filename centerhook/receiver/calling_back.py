"""The receiver calls back, as Jira does when somebody closes an issue there."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
import uuid
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime

import requests

# The page of a ticket, whose address is in what was received about it.
_TICKET_PAGE = re.compile(r"/admin/feedback/feedback/(\d{1,18})/")
MAX_SHOWN = 10
_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Sent:
    """A call that was sent, and what became of it in words."""

    ticket: str
    outcome: str


class CallBack:
    """Sends calls to a listener, each in a thread of its own."""

    def __init__(self, url: str, secret: str) -> None:
        self.url = url
        self.secret = secret
        self.sent: deque[Sent] = deque(maxlen=MAX_SHOWN)

    def close_issue(self, ticket: str) -> None:
        """`ticket` is its ID in CenterHook."""
        threading.Thread(target=self._send, args=(ticket,), daemon=True).start()

    def _send(self, ticket: str) -> None:
        now = datetime.now(UTC).isoformat()
        data = {"event": "issue closed", "at": now, "ticket": ticket, "status": "Done"}
        body = json.dumps(data).encode()
        signature = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-Hub-Signature-256": f"sha256={signature}",
            "X-Event-Id": str(uuid.uuid4()),
        }
        try:
            response = requests.post(self.url, body, headers=headers, timeout=_TIMEOUT)
            outcome = f"CenterHook responded {response.status_code}"
        except requests.RequestException:
            outcome = "CenterHook could not be reached"
        self.sent.append(Sent(ticket, outcome))


def ticket_in(text: str) -> str:
    """The ID of the ticket that a request is about, or an empty string."""
    page = _TICKET_PAGE.search(text)
    return page[1] if page else ""
