"""The demo's macros, and where they point."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from feedback.models import Community, FeedbackType
from macros.config import save_macro
from macros.models import Macro
from macros.steps.kinds.web_request import BodyKind, Method, WebRequest

POST_TO_SLACK = "Post to Slack"
CREATE_JIRA_ISSUE = "Create Jira issue"
# Short, so that a demo shows retries and their end within a minute.
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


def _return_value(name: str, expression: str, kind: str) -> dict[str, object]:
    """A value from the JSON of a response."""
    row = {"name": name, "source": "json", "expression": expression, "type": kind}
    return {**row, "when": "success", "required": False}


@dataclass(frozen=True)
class Definition:
    """A macro of one web request, which goes to `path` on the receiver."""

    name: str
    description: str
    path: str
    body: Mapping[str, object]
    headers: str = ""
    retry_ladder: str = QUICK_LADDER
    host: str = "127.0.0.1"
    return_values: tuple[dict[str, object], ...] = ()

    def origin(self, receiver: str) -> str:
        return receiver.replace("127.0.0.1", self.host)


DEFINITIONS = [
    Definition(
        POST_TO_SLACK,
        "A message in the channel #beta-bugs, one for each ticket.",
        "/slack/services/T024NRTHW/B7XKQ2/demo",
        SLACK,
    ),
    Definition(
        CREATE_JIRA_ISSUE,
        "An issue in the project NW, with a link back.",
        "/jira/rest/api/3/issue",
        JIRA,
        "Authorization: Basic ZGVtbzpub3QtYS1yZWFsLXRva2Vu\nAccept: application/json",
    ),
    Definition(
        "Notify legacy tracker",
        "The old tracker is down and responds with 500: watch the retries.",
        "/fail/tracker/import",
        {
            "id": "((Reference))",
            "headline": "((Title))",
            "impact": "((Field: Impact))",
            "found": "((Field: Found on))",
        },
        "X-Api-Key: legacy-demo-key",
        # Another origin, since its breaker must not hold up the macros that work.
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
            _return_value("address_valid", "$.validation_results.is_valid", "boolean"),
            _return_value(
                "address_message", "$.validation_results.messages[0].text", "text"
            ),
        ),
    )
]


def ensure_macros(
    owner: FeedbackType | Community, definitions: list[Definition], receiver: str
) -> None:
    """Make the macros that are missing, and point all at the receiver.

    What people changed in them stays: only the host and port are written.
    """
    own = Macro.objects.filter(feedback_type=None, project=None, community=owner.pk)
    if isinstance(owner, FeedbackType):
        own = Macro.objects.filter(feedback_type=owner)
    for definition in definitions:
        if not own.filter(name=definition.name).exists():
            macro = Macro.at(owner, name=definition.name)
            macro.description = definition.description
            macro.retry_ladder = definition.retry_ladder
            save_macro(macro, [_request(definition, receiver)], None)
    for request in WebRequest.objects.filter(macro__in=own):
        request.url = _redirected(request.url, receiver)
        request.save(update_fields=["url"])


def _request(definition: Definition, receiver: str) -> WebRequest:
    # Numbers and lists stand in value position, so without quotes.
    body = json.dumps(definition.body, indent=2, ensure_ascii=False)
    body = body.replace('"((Field: Impact))"', "((Field: Impact))")
    return WebRequest(
        position=1,
        method=Method.POST,
        url=definition.origin(receiver) + definition.path,
        headers=definition.headers,
        body_kind=BodyKind.JSON,
        body=body,
        return_values=list(definition.return_values),
    )


def _redirected(url: str, receiver: str) -> str:
    """The URL with the receiver's port, if its host is this machine's loopback."""
    parts = urlsplit(url)
    if parts.hostname not in ("127.0.0.1", "localhost"):
        return url
    host = f"{parts.hostname}:{urlsplit(receiver).port}"
    return parts._replace(netloc=host).geturl()
