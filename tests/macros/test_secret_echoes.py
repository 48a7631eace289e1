"""Whatever form of a secret goes out and comes back, the log shows none of it."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from html import escape, unescape
from itertools import permutations
from typing import Any
from urllib.parse import quote, unquote_plus

import pytest

from feedback.models import Feedback, FeedbackType
from logs.models import Attempt
from logs.redaction import MASK, echoes, redact
from macros import deliveries
from macros.models import Macro
from macros.steps.previews import preview
from tests import factories
from tests.http.hostile import Peer, Server, http_response

pytestmark = pytest.mark.django_db

# With letters that each language escapes, and a core that no mask or filter holds.
VALUE = 'hUsh/q7ZkPw+"w9JbRt" <v3XpLm&é>'
CORE = "q7zkpw", "w9jbrt", "v3xplm"

CHAINS = [
    "".join(f"|{name}" for name in order)
    for length in range(3)
    for order in permutations(["base64", "url", "json"], length)
] + ["|url|base64|json", "|json|url|base64"]
# The settings of a web request with the secret at one context.
CONTEXTS: dict[str, dict[str, str]] = {
    "path": {"url": "/x/{}/y"},
    "query": {"url": "/x?q={}"},
    "header": {"headers": "X-Note: {}"},
    "json text": {"body": '{{"a": "b {} c"}}'},
    "json value": {"body": '{{"a": {}}}'},
    "json in json": {"body": r'{{"a": "{{\"b\": \"c {0}\", \"d\": [1, {0}]}}"}}'},
    "graphql": {"body": r'{{"query": "{{ a(b: \"c {}\") }}"}}'},
    "json in a form": {"body": 'a={{"b": "c {0}", "d": {0}}}', "body_kind": "form"},
    "json in a url": {"url": '/x?a={{"b":"{0}","c":{0}}}'},
    "form": {"body": "a=b\nc=d{}", "body_kind": "form"},
    "xml": {"body": "<a>{}</a>", "body_kind": "xml"},
    "attribute": {"body": "<a b='{}'/>", "body_kind": "xml"},
    "cdata": {"body": "<a><![CDATA[{}]]></a>", "body_kind": "xml"},
    "text": {"body": "b {} c", "body_kind": "text"},
}


def unmasked(text: str) -> bool:
    """Whether a part of the value can be read in a text, decoded again and again."""
    seen = texts = {text}
    for _ in range(4):
        for each in texts:
            lowered = each.lower()
            if any(part in lowered or part[::-1] in lowered for part in CORE):
                return True
        texts = {other for each in texts for other in decoded(each)} - seen
        seen |= texts
    return False


def decoded(text: str) -> Iterator[str]:
    yield unquote_plus(text)
    yield unescape(text)
    yield re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)
    yield text.replace("\\", "")
    for skipped in range(4):
        yield "\n".join(
            b64decode(each[skipped:][: (len(each) - skipped) // 4 * 4]).decode(
                "utf-8", "ignore"
            )
            for each in re.findall(r"[A-Za-z0-9+/]{12,}", text)
        )
    for each in re.findall(r"(?:[0-9a-fA-F]{2}){6,}", text):
        yield bytes.fromhex(each).decode("utf-8", "ignore")


def echo(peer: Peer) -> None:
    """The request as its own response, however receivers write one."""
    request = peer.request().decode()
    path = request.split(" ")[1]
    note = re.search("(?mi)^x-note: (.*)\r$", request)
    quoted = note[1] if note else path
    body = "\n".join(
        [request, json.dumps(request), json.dumps({"e": json.dumps(request)}), path]
        + [escape(request), quote(request), unquote_plus(request), unescape(request)]
        + [b64encode(quoted.encode()).decode(), quoted.encode().hex()]
    )
    ascii_only = quoted if quoted.isascii() else quote(quoted)
    peer.say(
        http_response(
            body.encode(), f"X-Echo: {ascii_only}", status=f"200 {ascii_only}"
        )
    )


def stored(attempt: Attempt) -> str:
    values = [str(value) for value in vars(attempt).values()]
    ticket = Feedback.objects.get()
    return "\n".join([*values, json.dumps(ticket.external_data, ensure_ascii=False)])


def sent_with(
    bugs: FeedbackType, host: str, context: dict[str, str], tag: str
) -> Macro:
    request = {name: text.format(tag) for name, text in context.items()}
    url = host + request.pop("url", "/x")
    returns = [
        {"name": "body", "source": "text", "expression": r"(?s)(.*)", "type": "text"},
        {"name": "head", "source": "header", "expression": "X-Echo", "type": "text"},
    ]
    returns = [row | {"when": "success", "required": False} for row in returns]
    return factories.macro(bugs, url, return_values=returns, **request)


@pytest.mark.sweep
@pytest.mark.parametrize("context", CONTEXTS)
def test_no_filter_and_no_context_brings_a_secret_to_the_log(
    context: str, serve: Callable[..., Server]
) -> None:
    host = serve(echo).url("")
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    factories.secret(bugs, "token", VALUE)
    for chain in CHAINS:
        tag = f"((Secret: token{chain}))"
        if context == "json value" and chain.endswith("|json"):
            continue  # JSON in JSON; the text is tried elsewhere.
        macro = sent_with(bugs, host, CONTEXTS[context], tag)
        shown = preview(macro, Feedback.objects.all())
        assert not unmasked(repr(shown)), chain

        run = factories.run(macro)
        deliveries.work(run.pk)

        attempt = Attempt.objects.get(delivery__run=run)
        assert attempt.status == 200, (chain, attempt.message)
        assert MASK in attempt.response_body
        assert not unmasked(stored(attempt)), chain


WRITERS: dict[str, Callable[[str], str]] = {
    "reversed": lambda value: value[::-1],
    "hex": lambda value: value.encode().hex(),
    "HEX": lambda value: value.encode().hex().upper(),
    "hex of a dump": lambda value: value.encode().hex(" "),
    "unicode escapes": lambda value: "".join(f"\\u{ord(each):04x}" for each in value),
    "UNICODE": lambda value: "".join(f"\\u{ord(each):04X}" for each in value),
    "percent": lambda value: "".join(f"%{each:02x}" for each in value.encode()),
    "entities": lambda value: "".join(f"&#{ord(each)};" for each in value),
    "hex entities": lambda value: "".join(f"&#x{ord(each):x};" for each in value),
    "capitals": str.upper,
    "small": str.lower,
    "as Go writes JSON": lambda value: (
        json.dumps(value, ensure_ascii=True)
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("&", "\\u0026")
    ),
    "base64 in a text": lambda value: b64encode(f"me:{value}!".encode()).decode(),
}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize(
    "value", [VALUE, "plain-q7ZkPw-w9JbRt-v3XpLm", "é q7ZkPw/w9JbRt+v3XpLm"]
)
def test_a_plain_secret_is_masked_however_it_is_written(
    writer: str, value: str
) -> None:
    text = f"got {WRITERS[writer](value)} from you"
    assert MASK in redact(text, echoes([value]).those_in(text))
    assert not unmasked(redact(text, echoes([value]).those_in(text)))


def test_the_longest_secret_has_no_more_forms_than_it_needs() -> None:
    """The forms are kept for a run; nobody writes a long key letter by letter."""
    short, long = (
        echoes(["q7ZkPw+/w9JbRt" * 10]).forms,
        echoes(["q7ZkPw+/w9JbRt" * 1400]).forms,
    )
    assert len(long) < len(short)
    assert sum(map(len, long)) < 30 * 20_000


TYPED: dict[str, dict[str, str]] = {
    "slack": {"url": "https://hooks.slack.com/services/T0/B0/q7ZkPww9JbRtv3XpLm"},
    "code": {"url": "/x?code=q7ZkPw%2Bw9JbRtv3XpLm"},
    "api_key": {"body": '{"api_key": "q7ZkPw\\"w9JbRtv3XpLm", "text": "((Title))"}'},
    "password": {"body": "password=q7ZkPw&w9JbRtv3XpLm", "body_kind": "form"},
    "client_secret": {
        "body": "<a><client_secret>q7ZkPw&amp;w9JbRtv3XpLm</client_secret></a>",
        "body_kind": "xml",
    },
    "short": {"body": '{"password": "w9"}'},
    "beside a tag": {"body": '{"password": "((Title))q7ZkPww9JbRtv3XpLm"}'},
    "header": {"headers": "X-Api-Key: q7ZkPww9JbRtv3XpLm"},
}


@pytest.mark.parametrize("name", TYPED)
def test_what_an_export_takes_out_is_masked_in_the_log(
    name: str, serve: Callable[..., Server], settings: Any
) -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs, title="Login fails")
    request = dict(TYPED[name])
    url = request.pop("url", "/x")
    host = "" if url.startswith("https:") else serve(echo).url("")
    macro = factories.macro(bugs, host + url, **request)

    shown = preview(macro, Feedback.objects.all())
    assert MASK in repr(shown) and not unmasked(repr(shown))
    if not host:
        assert "https://hooks.slack.com/••••••" in repr(shown)
        return
    deliveries.work(factories.run(macro).pk)

    attempt = Attempt.objects.get()
    assert attempt.status == 200
    assert MASK in attempt.url + attempt.request_body + attempt.request_headers
    assert not unmasked(attempt.url + attempt.request_body)
    if name == "short":
        assert "w9" not in attempt.request_body
    else:
        assert not unmasked(stored(attempt))
    assert name != "api_key" or "Login fails" in attempt.request_body
