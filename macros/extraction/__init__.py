"""Return values: which parts of an answer become a ticket's external data."""

from .definitions import (
    LONGEST_NAME,
    MOST_ROWS,
    ReturnValue,
    Row,
    Source,
    When,
    check,
    compile_rows,
    is_blank,
)
from .paths import Unfit
from .reading import Reading
from .values import ValueType

__all__ = [
    "LONGEST_NAME",
    "MOST_ROWS",
    "Reading",
    "ReturnValue",
    "Row",
    "Source",
    "Unfit",
    "ValueType",
    "When",
    "check",
    "compile_rows",
    "is_blank",
]
