"""A stored call as a tree, whose members people click to say where a value is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..listeners.payloads import Payload, Unreadable, read_payload
from ..models import InboundCall, Listener

# Members that are shown, of all; and of one list.
MAX_SHOWN = 400
MAX_IN_LIST = 5
MAX_VALUE = 80
# Characters of a body on a page.
MAX_BODY = 50_000

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*").fullmatch


@dataclass(slots=True)
class Node:
    """`location` says where it is; `value` is short, and empty of what has members."""

    name: str
    location: str
    value: str = ""
    members: list[Node] = field(default_factory=list)
    left_out: int = 0


@dataclass(slots=True)
class _Room:
    left: int = MAX_SHOWN


def member_path(path: str, name: str) -> str:
    """RFC 9535: the short form where the name allows it."""
    if _PLAIN(name):
        return f"{path}.{name}"
    quoted = name.replace("\\", "\\\\").replace("'", "\\'")
    plain = "".join(c if c >= " " else f"\\u{ord(c):04x}" for c in quoted)
    return f"{path}['{plain}']"


def tree_of(payload: Payload) -> list[Node]:
    """What the body, the headers and the query say."""
    room = _Room()
    roots = [_node("Body", "$", payload.data, room)]
    headers = [
        Node(name, f"header: {name}", shortened(value))
        for name, value in sorted(payload.headers.items())
    ]
    query = [
        Node(name, f"query: {name}", shortened(values[0] if values else ""))
        for name, values in payload.query_values.items()
    ]
    if headers:
        roots.append(Node("Headers", "", members=headers[:MAX_SHOWN]))
    if query:
        roots.append(Node("Query", "", members=query[:MAX_SHOWN]))
    return roots


def _node(name: str, path: str, value: object, room: _Room) -> Node:
    room.left -= 1
    node = Node(name, path)
    if isinstance(value, dict | list):
        for key, where, each in _members(path, value):
            if room.left <= 0:
                break
            node.members.append(_node(key, where, each, room))
        node.left_out = len(value) - len(node.members)
        node.value = "" if value else "empty"
    else:
        node.value = shortened(value)
    return node


def _members(
    path: str, value: dict[str, object] | list[object]
) -> Iterator[tuple[str, str, object]]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield key, member_path(path, key), each
        return
    for number, each in enumerate(value[:MAX_IN_LIST]):
        yield f"[{number}]", f"{path}[{number}]", each


def shortened(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    one_line = " ".join(text[: 4 * MAX_VALUE].split())
    if len(one_line) <= MAX_VALUE:
        return one_line
    return f"{one_line[: MAX_VALUE - 1]}…"


def payload_of(listener: Listener, call: InboundCall) -> Payload:
    """Raises Unreadable."""
    headers = {str(name): str(value) for name, value in (call.headers or {}).items()}
    if call.content_type:
        headers.setdefault("content-type", call.content_type)
    body = bytes(call.body)
    return read_payload(listener.payload_format, body, headers, call.query)


@dataclass(frozen=True, slots=True)
class Body:
    """A body as a page shows it."""

    text: str
    is_pretty: bool = False
    size: int = 0
    is_cut: bool = False


def shown_body(listener: Listener, call: InboundCall) -> Body:
    """JSON in lines; all else as it came, as far as it is text."""
    raw = bytes(call.body)
    is_pretty = False
    text = raw[: 4 * MAX_BODY].decode("utf-8", "replace")
    if listener.payload_format == "json" and len(raw) <= 4 * MAX_BODY:
        try:
            data = payload_of(listener, call).data
            text = json.dumps(data, indent=2, ensure_ascii=False, default=str)
            is_pretty = True
        except Unreadable:
            pass
    is_cut = len(text) > MAX_BODY or len(raw) > 4 * MAX_BODY
    return Body(text[:MAX_BODY], is_pretty, len(raw), is_cut)
