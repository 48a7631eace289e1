"""Bodies of several parts: the lines of a step, and the files of a ticket."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import IO, Any
from urllib.parse import parse_qsl

from feedback import formats
from feedback.models import SubjectKind
from macros.http import FilePart, TextPart

from ....models.steps import Settings
from ....tags import RenderError

# As curl writes it: `-F file=@name`.
_FILES = "@attachments"

Part = TextPart | FilePart


def split_body(text: str) -> tuple[str, tuple[str, ...]]:
    """The lines with values, and the names of the fields that are files.

    What is taken out leaves a blank line, so that faults keep their places.
    """
    lines, names = [], []
    for line in text.splitlines():
        name, _, value = (part.strip() for part in line.partition("="))
        is_files = value == _FILES and name and "(" not in name
        lines.append("" if is_files else line)
        if is_files:
            names.append(name)
    return "\n".join(lines), tuple(names)


def check_files(settings: Settings, subject_kind: str) -> Iterator[tuple[str, str]]:
    """Why a step can't send its body of several parts, each by its field."""
    _, names = split_body(str(settings["body"]))
    if names and subject_kind != SubjectKind.FEEDBACK:
        yield "body", "Only tickets have attachments: take '@attachments' out."
    if len({*names}) < len(names):
        yield "body", "Two lines send the attachments under the same name."
    if not str(settings["body"]).strip():
        yield "body", "Write a line, such as file=@attachments."
    if settings["signing_secret"]:
        sentence = "A multipart request can't be signed: take the secret out."
        yield "signing_secret", sentence


def parts_of(subject: Any, fields: str, names: Sequence[str]) -> list[Part]:
    """Raises RenderError where nothing is left to send."""
    pairs = parse_qsl(fields, keep_blank_values=True)
    parts: list[Part] = [TextPart(name, value) for name, value in pairs]
    if names:
        # An example has no key, and no files.
        files = list(subject.attachments.all()) if subject.pk else []
        parts += [_part(name, each) for name in names for each in files]
    if not parts:
        raise RenderError(None, "The ticket has no attachments: nothing was sent.")
    return parts


def parts_again(subject: Any, sent: str) -> list[Part]:
    """Those of a request on the log. Raises RenderError where a file has gone.

    Raises NewerFormat where a newer version wrote it down.
    """
    parts: list[Part] = []
    files = {each.pk: each for each in subject.attachments.all()}
    for part in _read(sent):
        if "attachment" not in part:
            parts.append(TextPart(str(part["name"]), str(part["value"])))
            continue
        file = files.get(part["attachment"])
        if file is None or file.sha256 != part["sha256"]:
            why = f"The attachment {part['file']} was deleted since. Build it anew."
            raise RenderError(None, why)
        parts.append(_part(str(part["name"]), file, str(part["file"])))
    return parts


def _read(sent: str) -> list[Mapping[str, Any]]:
    """Raises RenderError and NewerFormat."""
    try:
        written = json.loads(sent)
        if isinstance(written, dict):
            formats.check(written.get("format"), formats.PARTS, "The request")
        parts: list[Mapping[str, Any]] = [{**part} for part in written]
    except (ValueError, TypeError):
        why = "The request on the log can't be read any more. Build it anew."
        raise RenderError(None, why) from None
    return parts


def boundary_of(delivery_id: str) -> str:
    """The same on each try, and not to be guessed by whoever wrote a part."""
    return f"centerhook-{hashlib.sha256(delivery_id.encode()).hexdigest()[:40]}"


def with_content_type(
    headers: Iterable[tuple[str, str]], content_type: str
) -> Iterator[tuple[str, str]]:
    """Ours in place of another one, which could not know the boundary."""
    yield "Content-Type", content_type
    for name, value in headers:
        if name.lower() != "content-type":
            yield name, value


def _part(name: str, file: Any, file_name: str = "") -> FilePart:
    return FilePart(
        name,
        file_name or file.name,
        file.content_type,
        file.size,
        file.sha256,
        file.pk,
        partial(_open, file.file),
    )


def _open(file: Any) -> IO[bytes]:
    """Ask the store itself: a field file is shared, and no thread has it alone."""
    opened: IO[bytes] = file.storage.open(file.name, "rb")
    return opened
