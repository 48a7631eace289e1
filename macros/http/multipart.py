"""Bodies of several parts, multipart/form-data (RFC 7578), sent piece by piece."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from macros.http.errors import TransportError

# Bytes of a file that are in memory at once.
CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class TextPart:
    """A field of the form."""

    name: str
    value: str

    @property
    def head(self) -> bytes:
        return f'Content-Disposition: form-data; name="{_quoted(self.name)}"'.encode()

    @property
    def size(self) -> int:
        return len(self.value.encode("utf-8", "replace"))

    def chunks(self) -> Iterator[bytes]:
        yield self.value.encode("utf-8", "replace")

    def in_words(self) -> Mapping[str, object]:
        return {"name": self.name, "value": self.value}


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file of the form; `key` says which one, to find it again."""

    name: str
    file_name: str
    content_type: str
    size: int
    sha256: str
    key: int
    open: Callable[[], IO[bytes]]

    @property
    def head(self) -> bytes:
        name, file_name = _quoted(self.name), _quoted(self.file_name)
        return (
            f'Content-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n'
            f"Content-Type: {self.content_type}"
        ).encode()

    def chunks(self) -> Iterator[bytes]:
        """Raises TransportError where the store has not what it is said to have."""
        left = self.size
        try:
            with self.open() as file:
                while chunk := file.read(CHUNK):
                    left -= len(chunk)
                    if left < 0:
                        break
                    yield chunk
        except OSError as error:
            raise self._lost() from error
        if left:
            raise self._lost()

    def in_words(self) -> Mapping[str, object]:
        return {
            "name": self.name,
            "attachment": self.key,
            "file": self.file_name,
            "content_type": self.content_type,
            "bytes": self.size,
            "sha256": self.sha256,
        }

    def _lost(self) -> TransportError:
        sentence = f"The file {self.file_name} can't be read from the store any more."
        return TransportError(sentence, "render")


Part = TextPart | FilePart


@dataclass(frozen=True, slots=True)
class Multipart:
    """Read anew on each try; its length is known before."""

    parts: Sequence[Part]
    boundary: str

    @property
    def content_type(self) -> str:
        return f"multipart/form-data; boundary={self.boundary}"

    def __len__(self) -> int:
        framing = sum(len(self._opening(part)) + 2 for part in self.parts)
        return framing + sum(part.size for part in self.parts) + len(self._end)

    def chunks(self) -> Iterator[bytes]:
        """Raises TransportError."""
        for part in self.parts:
            yield self._opening(part)
            yield from part.chunks()
            yield b"\r\n"
        yield self._end

    def in_words(self) -> str:
        """For the log: parts by name and size, no byte of a file."""
        parts = [dict(part.in_words()) for part in self.parts]
        return json.dumps(parts, ensure_ascii=False, indent=1)

    def _opening(self, part: Part) -> bytes:
        return b"--%s\r\n%s\r\n\r\n" % (self.boundary.encode(), part.head)

    @property
    def _end(self) -> bytes:
        return f"--{self.boundary}--\r\n".encode()


def _quoted(name: str) -> str:
    """As browsers write it: RFC 7578, section 4.2, and the HTML standard."""
    for character, escape in (("\r", "%0D"), ("\n", "%0A"), ('"', "%22")):
        name = name.replace(character, escape)
    return name
