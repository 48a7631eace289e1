"""Return values: which parts of a response become a ticket's external data."""

from .budget import ExtractionError
from .definitions import (
    MAX_NAME,
    MAX_ROWS,
    ReturnValue,
    Row,
    Source,
    When,
    check,
    compile_rows,
    is_blank,
)
from .reading import Reading
from .values import ValueType

__all__ = [
    "MAX_NAME",
    "MAX_ROWS",
    "Reading",
    "ReturnValue",
    "Row",
    "Source",
    "ExtractionError",
    "ValueType",
    "When",
    "check",
    "compile_rows",
    "is_blank",
]
