"""A request as a curl command for a POSIX shell."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterable, Mapping

# The token of RFC 9110, section 5.6.2. Anything else curl would not read as a header.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_METHOD = re.compile(r"[A-Z]+\Z")
_GLOBS = frozenset("[]{}")


def write(
    method: str,
    url: str,
    headers: Iterable[tuple[str, str]],
    body: str | None,
    mask: str = "",
) -> str:
    """Whatever is in the request, it is one command and nothing of it is run.

    Each `mask` becomes a variable of the shell: SECRET_1, SECRET_2 ...
    """
    word, headers = _writer(mask), list(headers)
    lines = [f"curl {_method(method)} --url {word(url)}"]
    if not _GLOBS.isdisjoint(url):
        lines[0] += " --globoff"
    names = set()
    parts = _parts(headers, body)
    for name, value in headers:
        if parts and name.lower() == "content-type":
            continue  # curl writes its own, with its boundary.
        if _NAME.match(name):
            names.add(name.lower())
            # A header without a value is written with a semicolon.
            line = f"{name}: {_one_line(value)}" if value.strip() else f"{name};"
            lines.append(f"-H {word(line)}")
    if parts:
        lines += [f"{option} {word(text)}" for option, text in parts]
    elif body is not None:
        if "content-type" not in names:
            # Else curl sends it as a form.
            lines.append("-H 'Content-Type:'")
        lines.append(f"--data-raw {word(body)}")
    return " \\\n  ".join(lines)


def _parts(
    headers: Iterable[tuple[str, str]], body: str | None
) -> list[tuple[str, str]]:
    """The options for the parts of a multipart body, as the log has it."""
    kinds = [value for name, value in headers if name.lower() == "content-type"]
    if not (body and kinds and kinds[0].startswith("multipart/form-data")):
        return []
    try:
        return [_part(part) for part in json.loads(body)]
    except (ValueError, TypeError, KeyError):
        return []


def _part(part: Mapping[str, str]) -> tuple[str, str]:
    if "file" not in part:
        return "--form-string", f"{part['name']}={part['value']}"
    # In the present folder, whatever its name begins with.
    path = part["file"].replace("\\", "\\\\").replace('"', '\\"')
    return "-F", f'{part["name"]}=@"./{path}";type={part["content_type"]}'


def _method(method: str) -> str:
    if method == "HEAD":
        return "--head"
    return f"-X {method if _METHOD.match(method) else shlex.quote(method)}"


def _one_line(value: str) -> str:
    return re.sub(r"[\r\n]+", " ", value)


def _writer(mask: str) -> Callable[[str], str]:
    count = 0

    def word(text: str) -> str:
        nonlocal count
        # No argument of a program can hold it.
        text = text.replace("\0", "\ufffd")
        pieces = text.split(mask) if mask else [text]
        written = [shlex.quote(pieces[0])] if pieces[0] or len(pieces) == 1 else []
        for piece in pieces[1:]:
            count += 1
            written.append(f'"$SECRET_{count}"')
            written += [shlex.quote(piece)] if piece else []
        return "".join(written)

    return word
