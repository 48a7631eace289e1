"""A table as Parquet, by an extra: `requirements-parquet.txt`.

A part of the rows is in memory at once, and becomes a row group of the file.
"""

from __future__ import annotations

import hashlib
import tempfile
from datetime import date
from decimal import Decimal
from typing import IO, Any

import pyarrow
from django.conf import settings
from pyarrow.parquet import ParquetWriter

from .files import Made, PackageTooLarge
from .tables import Table
from .values import ColumnType, Value, json_text

# A row group has so many rows, or texts of so many letters.
_ROWS = 10_000
_LETTERS = 2_000_000
_BLOCK = 1 << 20
# Numbers as floats of 64 bits, which every reader has; CSV and JSON have all digits.
_TYPES: dict[str, Any] = {
    ColumnType.TEXT: pyarrow.string(),
    ColumnType.INTEGER: pyarrow.int64(),
    ColumnType.NUMBER: pyarrow.float64(),
    ColumnType.BOOLEAN: pyarrow.bool_(),
    ColumnType.DATE: pyarrow.date32(),
    ColumnType.MOMENT: pyarrow.timestamp("us", tz="UTC"),
    ColumnType.LIST: pyarrow.list_(pyarrow.string()),
}


def make(table: Table) -> Made:
    """Raises PackageTooLarge."""
    file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - whoever gets it closes it
    try:
        rows = _write(file, table)
        size = file.tell()
        return Made(file, size, rows, _digest(file))
    except BaseException:
        file.close()
        raise


def _write(file: IO[bytes], table: Table) -> int:
    fields = [(each.name, _TYPES[each.type]) for each in table.columns]
    kinds = [each.type for each in table.columns]
    count, letters = 0, 0
    group: list[list[Any]] = []
    schema = pyarrow.schema(fields)
    with ParquetWriter(file, schema, compression="snappy") as writer:
        for _, row in table.values():
            values = list(map(_as_arrow, row, kinds))
            letters += sum(len(each) for each in values if isinstance(each, str))
            group.append(values)
            count += 1
            if len(group) >= _ROWS or letters >= _LETTERS:
                _flush(writer, schema, group)
                letters = 0
                if file.tell() > settings.PACKAGE_MAX_BYTES:
                    raise PackageTooLarge
        if group or not count:
            _flush(writer, schema, group)
    return count


def _flush(writer: ParquetWriter, schema: Any, group: list[list[Any]]) -> None:
    columns = zip(*group, strict=True) if group else ([] for _ in schema)
    arrays = [
        pyarrow.array(values, type=field.type)
        for values, field in zip(columns, schema, strict=True)
    ]
    writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))
    group.clear()


def _as_arrow(value: Value, kind: str) -> Any:
    if kind == ColumnType.DATE and isinstance(value, str):
        return date.fromisoformat(value)
    if kind == ColumnType.NUMBER and isinstance(value, int | Decimal):
        return float(value)
    if isinstance(value, list):
        return [each if isinstance(each, str) else json_text(each) for each in value]
    return value


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    file.seek(0)
    while block := file.read(_BLOCK):
        digest.update(block)
    file.seek(0)
    return digest.hexdigest()
