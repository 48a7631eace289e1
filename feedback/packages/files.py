"""A table as a file: made whole, at the speed of the database, before anybody reads it.

So a reader that takes an hour holds no transaction, an error is a sentence and not half
a file, and what did not change since is said by its digest.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.template.defaultfilters import filesizeformat

from ..models import PackageFormat
from . import writing
from .tables import Table

# Written at once, and hashed at once.
_BLOCK = 1 << 18


class PackageTooLarge(Exception):
    """Why a package can't be given out whole, as a sentence."""

    def __init__(self) -> None:
        limit = filesizeformat(settings.PACKAGE_MAX_BYTES)
        super().__init__(
            f"The package is larger than {limit}, the limit for one file. Narrow it by"
            " a filter or fewer columns, or read it in pages, with page_size."
        )


@dataclass(frozen=True)
class Made:
    """A file without a name, which is gone when it is closed; it stands at its start.

    `last` is the key of the last row, where it was asked for.
    """

    file: IO[bytes]
    size: int
    rows: int
    sha256: str


def make(table: Table, form: str) -> Made:
    """Raises PackageTooLarge. Afterwards the connection is free."""
    file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - whoever gets it closes it
    try:
        return _filled(file, table, form)
    except BaseException:
        file.close()
        raise


def _filled(file: IO[bytes], table: Table, form: str) -> Made:
    digest, size, rows = hashlib.sha256(), 0, 0
    block = bytearray()

    def write() -> None:
        nonlocal size
        size += len(block)
        if size > settings.PACKAGE_MAX_BYTES:
            raise PackageTooLarge
        digest.update(block)
        file.write(block)
        block.clear()

    start, between, end = _around(table, form)
    block += start
    for line in _lines(table, form):
        if between and rows:
            block += between
        block += line
        rows += 1
        if len(block) >= _BLOCK:
            write()
    block += end
    write()
    file.seek(0)
    return Made(file, size, rows, digest.hexdigest())


def _around(table: Table, form: str) -> tuple[bytes, bytes, bytes]:
    """What stands before the rows, between them and behind them."""
    if form == PackageFormat.JSON:
        return b"[\n", b",", b"]\n"
    header = writing.csv_header(table.columns) if form == PackageFormat.CSV else b""
    return header, b"", b""


def _lines(table: Table, form: str) -> Iterator[bytes]:
    if connection.vendor != "postgresql":
        yield from writing.lines(table, form)
        return
    from . import copying  # Where there is no PostgreSQL, its driver need not be.

    try:
        yield from copying.lines(table, form)
    except EmptyResultSet:  # The filter can't select anything.
        return
