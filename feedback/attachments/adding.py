"""Files are checked before anything is stored, and stored whole before a row says so.

A file whose row was never committed is an orphan: see `pruning`.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.template.defaultfilters import filesizeformat

from ..access.requests import name_at_work
from ..changes import unit
from ..changes.signals import saved
from ..models import Attachment, Feedback
from ..names import one_line
from ..texts import storable
from .kinds import HEAD, HTML, SVG, UNKNOWN, kind_by_name, kind_of, words_for

MAX_NAME = 150
# Seconds that the operator's scanner may take for one file.
_SCAN_SECONDS = 60
_HARMFUL = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\u202a-\u202e\u2066-\u2069]')


class FileRefused(Exception):
    """Why a file is not taken, as a sentence for whoever sent it."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that may be stored."""

    file: File[bytes]
    name: str
    kind: str
    size: int
    sha256: str


def check(
    files: Iterable[File[bytes]], ticket: Feedback | None, *, beside: int = 0
) -> list[Checked]:
    """Raises FileRefused; `ticket` is None where it is about to be made.

    `beside` counts files that are to be added with these.
    """
    given = list(files)
    present = ticket.attachments.count() if ticket and ticket.pk else beside
    limit = settings.ATTACHMENTS_PER_TICKET
    if given and present + len(given) > limit:
        raise FileRefused(
            f"A ticket has at most {limit} attachments, and here are"
            f" {present + len(given)}. Pack several into one ZIP archive."
        )
    return [_checked(each) for each in given]


def add(
    ticket: Feedback, files: Sequence[Checked], *, author: Any = None, by: str = ""
) -> list[Attachment]:
    """Store files that were checked, all or none.

    The ticket is modified by them. `by` names who sends them where that is no user.
    """
    made: list[Attachment] = []
    try:
        with unit() as opened:
            for each in files:
                row = Attachment(
                    feedback=ticket,
                    name=each.name,
                    content_type=each.kind,
                    size=each.size,
                    sha256=each.sha256,
                    author=author,
                    added_by=by or name_at_work(),
                )
                each.file.seek(0)
                row.file.save(each.name, each.file, save=False)
                made.append(row)
                row.save()
                note = f"Attachment {row.pk}: {filesizeformat(row.size)}"
                saved.send(Feedback, before=ticket, after=ticket, parts=[], note=note)
            if made and (moved := opened.moved(Feedback, ["attachments"])):
                Feedback.objects.filter(pk=ticket.pk).update(**moved)
    except BaseException:
        for row in made:
            row.file.storage.delete(str(row.file.name))
        raise
    return made


def digest_of(file: File[bytes]) -> str:
    """The SHA-256 of all of it."""
    return _read(file)[2]


def _checked(file: File[bytes]) -> Checked:
    name = clean_name(file.name or "")
    size, limit = file.size, settings.ATTACHMENT_MAX_BYTES
    if size > limit:
        raise FileRefused(
            f"{name} has {filesizeformat(size)}; an attachment has at most"
            f" {filesizeformat(limit)}. Make it smaller, or send a link to it."
        )
    if not size:
        raise FileRefused(f"{name} is empty. Choose the file again.")
    head, foot, digest = _read(file)
    kind = kind_of(head, foot, name)
    if refusal := _refusal(name, kind):
        raise FileRefused(refusal)
    _scan(file, name)
    return Checked(file, name, kind, size, digest)


def clean_name(given: str) -> str:
    """The name without folders, and without what hides or changes its end."""
    plain = one_line(storable(given)).replace("\\", "/").rpartition("/")[2]
    plain = _HARMFUL.sub("", plain).strip(" .")
    if len(plain) > MAX_NAME:
        end = PurePath(plain).suffix[:20]
        plain = plain[: MAX_NAME - len(end)] + end
    return plain or "file"


def _read(file: File[bytes]) -> tuple[bytes, bytes, str]:
    """The first and last bytes, and the SHA-256 of all of them."""
    file.seek(0)
    head, foot, digest = b"", b"", hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
        if len(head) < HEAD:
            head += chunk[: HEAD - len(head)]
        foot = chunk
    return head, foot, digest.hexdigest()


def _refusal(name: str, kind: str) -> str:
    allowed = settings.ATTACHMENT_TYPES
    if kind in allowed:
        named = kind_by_name(name)
        if named and named != kind and not {named, kind} <= _LOOSE:
            return (
                f"The name {name} says {words_for(named)}, but the content is"
                f" {words_for(kind)}. Give the file its right name, and send it again."
            )
        return ""
    if kind in (SVG, HTML):
        return (
            f"{name} is {words_for(kind)}, which can hold a program that runs in the"
            " browser of whoever opens it. Send a PNG image or a PDF document, or pack"
            " it into a ZIP archive."
        )
    known = ", ".join(dict.fromkeys(words_for(each) for each in allowed))
    what = words_for(UNKNOWN) if kind == UNKNOWN else words_for(kind)
    return f"{name} is {what}, and that is not taken. Taken are: {known}."


# Texts, of which only the name says more.
_LOOSE = frozenset({"text/plain", "text/csv", "application/json"})


def _scan(file: File[bytes], name: str) -> None:
    """Ask the operator's own program, if any: it ends with 0 if all is well.

    The file is its standard input.
    """
    command = settings.ATTACHMENT_SCAN_COMMAND
    if not command:
        return
    file.seek(0)
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own command
            command,
            input=file.read(),
            capture_output=True,
            timeout=_SCAN_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FileRefused(
            f"{name} could not be checked for viruses, so it was not taken. Try again,"
            " and tell the people who run CenterHook if it stays so."
        ) from error
    if done.returncode:
        raise FileRefused(f"{name} was refused by the virus scanner.")
