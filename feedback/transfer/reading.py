"""From the bytes of a file to rows of texts: CSV or XLSX, bounded before it is read."""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice
from typing import IO

from ..texts import storable
from .cells import plain_cell
from .errors import FileUnreadable

MAX_ROWS = 50_000
MAX_COLUMNS = 200
# Characters of one cell, and cells of a whole file.
MAX_CELL = 65_536
MAX_CELLS = 2_000_000
# Bytes of a workbook once it is unpacked, and the parts that it may have.
MAX_UNPACKED = 150_000_000
MAX_ENTRIES = 2_000

_DELIMITERS = ",;\t"
_LONG = f"{MAX_ROWS:,} rows. Split the file, and import the parts one after the other."


# A workbook that unpacks to fewer bytes, and a CSV file of fewer, are read at once.
QUICK_UNPACKED = 4_000_000
QUICK_CSV = 1_000_000

# A row of cells with its number in the file.
NumberedRow = tuple[int, list[str]]


@dataclass(slots=True)
class Table:
    """The first row, and those below it that are not blank, as they are read."""

    header: list[str]
    # Raises FileUnreadable, on the way too.
    rows: Iterator[NumberedRow]
    # How it was read, where that is a guess.
    note: str = ""


def is_quick(file: IO[bytes]) -> bool:
    """Whether a person may wait while it is read. Raises FileUnreadable."""
    if _is_archive(file):
        return _check_archive(file) < QUICK_UNPACKED
    return file.seek(0, io.SEEK_END) < QUICK_CSV


def read(file: IO[bytes]) -> Table:
    """Raises FileUnreadable."""
    if _is_archive(file):
        return _table(_sheet(file))
    start = file.read(4)
    file.seek(0)
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise FileUnreadable(
            "This is a workbook of an old Excel (.xls), or one with a password. Save it"
            " as .xlsx without a password, or as CSV."
        )
    text, note = _decoded(file.read())
    table = _table(_lines(text))
    table.note = note
    return table


def _is_archive(file: IO[bytes]) -> bool:
    file.seek(0)
    start = file.read(4)
    file.seek(0)
    return start == b"PK\x03\x04"


def _table(rows: Iterable[Sequence[str]]) -> Table:
    numbered = enumerate(rows, start=1)
    filled = ((number, row) for number, row in numbered if any(map(str.strip, row)))
    _, first = next(filled, (0, []))
    if not first:
        raise FileUnreadable("The file is empty. Its first row names the columns.")
    header = [name.strip() for name in first]
    while header and not header[-1]:
        header.pop()
    if len(header) > MAX_COLUMNS:
        raise FileUnreadable(f"A file has at most {MAX_COLUMNS} columns.")
    return Table(header, _bounded(filled))


def _bounded(filled: Iterable[tuple[int, Sequence[str]]]) -> Iterator[NumberedRow]:
    rows = cells = 0
    for number, row in filled:
        rows += 1
        cells += len(row)
        if rows > MAX_ROWS:
            raise FileUnreadable(f"The file has more than {_LONG}")
        if cells > MAX_CELLS:
            raise FileUnreadable(f"A file has at most {MAX_CELLS:,} filled cells.")
        yield number, [plain_cell(_storable(cell)) for cell in row]
    if not rows:
        raise FileUnreadable("Below the names of the columns there is no row.")


def _storable(cell: str) -> str:
    if len(cell) > MAX_CELL:
        raise FileUnreadable(f"A cell has more than {MAX_CELL:,} characters.")
    return storable(cell)


def _decoded(data: bytes) -> tuple[str, str]:
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace"), ""
    if b"\0" in data[:4096]:
        raise FileUnreadable(
            "This is neither CSV nor XLSX. Save the table as one of these two."
        )
    try:
        return data.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        note = (
            "The file is not in UTF-8, so it was read as Windows and Excel in Western"
            " Europe write it (Latin-1). Look at the letters with accents below."
        )
        return data.decode("cp1252", "replace"), note


def _lines(text: str) -> Iterator[list[str]]:
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        yield from reader
    except csv.Error as error:
        line = reader.line_num
        raise FileUnreadable(f"Line {line} can't be read as CSV: {error}.") from error


def _sheet(file: IO[bytes]) -> Iterator[list[str]]:
    """The first sheet, row by row: never more of it in memory than a row."""
    # A worker that reads no workbook does without it.
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    _check_archive(file)
    try:
        book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        # What a sheet says of its own size is not believed.
        sheet.reset_dimensions()
        rows = sheet.iter_rows(max_col=MAX_COLUMNS + 1, values_only=True)
        for row in islice(rows, MAX_ROWS * 2):
            # A gap may have very many of these.
            is_blank = row.count(None) == len(row)
            texts = [] if is_blank else [_text(value) for value in row]
            while texts and not texts[-1]:
                texts.pop()
            yield texts
    except FileUnreadable:
        raise
    except (InvalidFileException, zipfile.BadZipFile, zlib.error) as error:
        raise _broken() from error
    except _OF_ODD_CONTENT as error:
        raise _broken() from error


# What the library of workbooks raises of broken XML and odd values.
_OF_ODD_CONTENT = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
)


def _broken() -> FileUnreadable:
    return FileUnreadable(
        "The workbook is broken, or none. Open it, save it as .xlsx, and try again."
    )


def _check_archive(file: IO[bytes]) -> int:
    """A small archive may hold very much; nothing is unpacked beyond what it says.

    Returns the bytes of what it unpacks to. Raises FileUnreadable.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise _broken() from error
    names = {each.filename for each in entries}
    if not {"[Content_Types].xml", "xl/workbook.xml"} <= names:
        raise FileUnreadable(
            "This is a ZIP archive and no workbook. Unpack it, and import the CSV or"
            " XLSX file in it."
        )
    unpacked = sum(each.file_size for each in entries)
    if unpacked > MAX_UNPACKED or len(entries) > MAX_ENTRIES:
        raise FileUnreadable(
            f"Unpacked, the workbook has {unpacked // 1_000_000:,} MB; at most"
            f" {MAX_UNPACKED // 1_000_000} are read. Save the sheet as CSV."
        )
    file.seek(0)
    return unpacked


_MIDNIGHT = re.compile(r" 00:00:00$")


def _text(value: object) -> str:
    """As people see it in the cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return _MIDNIGHT.sub("", str(value.replace(microsecond=0)))
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)
