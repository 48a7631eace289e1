"""What a file is, judged by its content; its name only chooses among what fits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath

# Bytes at a file's beginning by which it is judged, and at its end.
HEAD = 65_536
_FOOT = 1_024

_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."
ZIP, TEXT = "application/zip", "text/plain"
HTML, SVG = "text/html", "image/svg+xml"
UNKNOWN = "application/octet-stream"

# Each with what people call it, and the ends that names of such files have.
KINDS: dict[str, tuple[str, Sequence[str]]] = {
    "image/png": ("PNG image", ["png"]),
    "image/jpeg": ("JPEG image", ["jpg", "jpeg"]),
    "image/gif": ("GIF image", ["gif"]),
    "image/webp": ("WebP image", ["webp"]),
    "image/heif": ("HEIF image", ["heic", "heif"]),
    "image/bmp": ("BMP image", ["bmp"]),
    "image/tiff": ("TIFF image", ["tif", "tiff"]),
    SVG: ("SVG image", ["svg"]),
    "video/mp4": ("MP4 video", ["mp4", "m4v"]),
    "video/quicktime": ("QuickTime video", ["mov"]),
    "video/webm": ("WebM video", ["webm"]),
    "audio/mpeg": ("MP3 recording", ["mp3"]),
    "audio/wav": ("WAV recording", ["wav"]),
    "application/pdf": ("PDF document", ["pdf"]),
    f"{_OFFICE}wordprocessingml.document": ("Word document", ["docx"]),
    f"{_OFFICE}spreadsheetml.sheet": ("Excel workbook", ["xlsx"]),
    f"{_OFFICE}presentationml.presentation": ("PowerPoint presentation", ["pptx"]),
    f"{_OPEN}text": ("OpenDocument text", ["odt"]),
    f"{_OPEN}spreadsheet": ("OpenDocument spreadsheet", ["ods"]),
    ZIP: ("ZIP archive", ["zip"]),
    "application/gzip": ("gzip archive", ["gz", "tgz"]),
    HTML: ("web page", ["html", "htm", "xhtml"]),
    "text/csv": ("CSV file", ["csv"]),
    "application/json": ("JSON file", ["json"]),
    TEXT: ("text", ["txt", "log", "md"]),
}
_BY_END = {end: kind for kind, (_, ends) in KINDS.items() for end in ends}
# What a text may be by its name alone, as nobody opens it as a program.
_TEXTS = frozenset({"text/csv", "application/json"})
_ALIASES = {
    "application/x-gzip": "application/gzip",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "image/heic": "image/heif",
    "image/x-ms-bmp": "image/bmp",
    "video/x-m4v": "video/mp4",
}
# What browsers take for a page, or for a picture that runs scripts.
_MARKUP: tuple[tuple[str, tuple[bytes, ...]], ...] = (
    (SVG, (b"<svg", b":svg")),
    (HTML, (b"<!doctype html", b"<html", b"<script", b"<body", b"<iframe", b"<img")),
)


def kind_by_name(name: str) -> str:
    """What a name says; empty where it says nothing that is known here."""
    return _BY_END.get(PurePath(name).suffix.lower().removeprefix("."), "")


def kind_of(head: bytes, foot: bytes, name: str) -> str:
    """The content type; `head` is the first HEAD bytes, `foot` the last ones."""
    named = kind_by_name(name)
    if _is_text(head):
        return _kind_of_text(head, named)
    fitting = list(_by_signature(head, foot[-_FOOT:]))
    if named in fitting:
        return named
    if head.startswith(b"PK\x03\x04"):
        return ZIP
    return fitting[0] if fitting else UNKNOWN


def _kind_of_text(head: bytes, named: str) -> str:
    """A log that speaks of pages is a text; what begins as one is a page."""
    lowered = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if lowered.startswith(b"<"):
        for kind, signs in _MARKUP:
            if any(sign in lowered for sign in signs):
                return kind
    return named if named in _TEXTS else TEXT


def words_for(kind: str) -> str:
    return KINDS[kind][0] if kind in KINDS else "a file of an unknown kind"


def _by_signature(head: bytes, foot: bytes) -> Iterator[str]:
    """The known kinds that the first bytes fit, the surest first."""
    import puremagic  # What it knows takes a worker that sees no file a megabyte.

    try:
        matches = puremagic.magic_string(head + foot)
    except (puremagic.PureError, ValueError):
        return
    for each in sorted(matches, key=lambda match: -match.confidence):
        kind = _ALIASES.get(each.mime_type, each.mime_type)
        if kind in KINDS and kind not in (TEXT, HTML):
            yield kind


def _is_text(head: bytes) -> bool:
    """UTF-8, UTF-16 with its mark, or Latin-1; without control characters."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return b"\0\0" not in head
    if head.startswith((b"%PDF", b"\xff\xd8")):
        return False
    return not any(byte < 9 or 13 < byte < 32 and byte != 27 for byte in head)
