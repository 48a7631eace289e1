"""The demo's macros, and where they point."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from feedback.models import Community, FeedbackType
from macros.config import save_macro
from macros.models import BodyKind, Macro, Method, WebRequest

POST_TO_SLACK = "Post to Slack"
# So that a demo shows retries and their end within a minute.
QUICK_LADDER = "2 s, 10 s, 30 s"


def _field(label: str, tag: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": f"*{label}*\n{tag}"}


SLACK = {
    "text": "((Reference|slack)): ((Title|slack))",
    "blocks": [
        {
            "type": "header",
            "text": {
                "type": "plain_text",
                "text": "((Reference)) ((Title|truncate:120))",
            },
        },
        {
            "type": "section",
            "fields": [
                _field("Severity", "((Field: Severity))"),
                _field("Platform", "((Field: Platform|join:' / '))"),
                _field("Status", "((Status|slack))"),
                _field("Reported by", "((Submitter Name|slack))"),
            ],
        },
        {
            "type": "section",
            "text": {
                "type": "mrkdwn",
                "text": "((Description|truncate:600|slack))\n<((Ticket URL))|Open>",
            },
        },
    ],
}
# The description is in the Atlassian Document Format.
JIRA = {
    "fields": {
        "project": {"key": "NW"},
        "issuetype": {"name": "Bug"},
        "summary": "((Title|truncate:250))",
        "priority": {
            "name": "((Field: Severity|map:Critical=Highest,Major=High,*=Medium))"
        },
        "labels": ["beta", "((Reference))"],
        "description": {
            "type": "doc",
            "version": 1,
            "content": [
                {
                    "type": "paragraph",
                    "content": [{"type": "text", "text": "((Description|required))"}],
                },
                {
                    "type": "paragraph",
                    "content": [
                        {
                            "type": "text",
                            "text": "Reported by ((Submitter Name)) in ((Reference))",
                            "marks": [
                                {"type": "link", "attrs": {"href": "((Ticket URL))"}}
                            ],
                        }
                    ],
                },
            ],
        },
    }
}


ADDRESS = {
    "name": "((Name))",
    "street1": "((Street|required))",
    "city": "((City))",
    "zip": "((Postal Code))",
    "country": "((Country))",
    "email": "((Email))",
    "validate": True,
}


def _kept(name: str, expression: str, kind: str) -> dict[str, Any]:
    """A return value, from the JSON of an answer."""
    row = {"name": name, "source": "json", "expression": expression, "type": kind}
    return {**row, "when": "success", "required": False}


@dataclass(frozen=True)
class Definition:
    name: str
    description: str
    path: str
    body: dict[str, Any]
    headers: str = ""
    retry_ladder: str = QUICK_LADDER
    host: str = "127.0.0.1"
    return_values: tuple[dict[str, Any], ...] = ()

    def address(self, receiver: str) -> str:
        return receiver.replace("127.0.0.1", self.host)


DEFINITIONS = [
    Definition(
        POST_TO_SLACK,
        "A message in the channel #beta-bugs, one for each ticket.",
        "/slack/services/T024NRTHW/B7XKQ2/demo",
        SLACK,
    ),
    Definition(
        "Create Jira issue",
        "An issue in the project NW, with a link back.",
        "/jira/rest/api/3/issue",
        JIRA,
        "Authorization: Basic ZGVtbzpub3QtYS1yZWFsLXRva2Vu\nAccept: application/json",
    ),
    Definition(
        "Notify legacy tracker",
        "The old tracker is down and answers 500: watch the retries.",
        "/fail/tracker/import",
        {
            "id": "((Reference))",
            "headline": "((Title))",
            "impact": "((Field: Impact))",
            "found": "((Field: Found on))",
        },
        "X-Api-Key: legacy-demo-key",
        # Another origin: its breaker must not hold up the macros that work.
        host="localhost",
    ),
]

# A user macro: it runs on testers.
TESTER_DEFINITIONS = [
    Definition(
        "Check the address",
        "Sends a tester's postal address to a validator and keeps its verdict.",
        "/shippo/addresses/",
        ADDRESS,
        return_values=(
            _kept("address_valid", "$.validation_results.is_valid", "boolean"),
            _kept("address_message", "$.validation_results.messages[0].text", "text"),
        ),
    )
]


def ensure_macros(
    place: FeedbackType | Community, definitions: list[Definition], receiver: str
) -> None:
    """Make the macros that are missing, and point all at the receiver.

    What people changed in them stays: only the host and port are written.
    """
    own = Macro.objects.filter(feedback_type=None, project=None, community=place.pk)
    if isinstance(place, FeedbackType):
        own = Macro.objects.filter(feedback_type=place)
    for definition in definitions:
        if not own.filter(name=definition.name).exists():
            macro = Macro.at(place, name=definition.name)
            macro.description = definition.description
            macro.retry_ladder = definition.retry_ladder
            save_macro(macro, [_request(definition, receiver)], None)
    for request in WebRequest.objects.filter(macro__in=own):
        request.url = _moved(request.url, receiver)
        request.save(update_fields=["url"])


def _request(definition: Definition, receiver: str) -> WebRequest:
    # Numbers and lists stand in value position, so without quotes.
    body = json.dumps(definition.body, indent=2, ensure_ascii=False)
    body = body.replace('"((Field: Impact))"', "((Field: Impact))")
    return WebRequest(
        position=1,
        method=Method.POST,
        url=definition.address(receiver) + definition.path,
        headers=definition.headers,
        body_kind=BodyKind.JSON,
        body=body,
        return_values=list(definition.return_values),
    )


def _moved(url: str, receiver: str) -> str:
    """The address with the receiver's port, if it is on this machine's loopback."""
    parts = urlsplit(url)
    if parts.hostname not in ("127.0.0.1", "localhost"):
        return url
    moved = f"{parts.hostname}:{urlsplit(receiver).port}"
    return parts._replace(netloc=moved).geturl()
