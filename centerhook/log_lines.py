"""One event, one line: nobody who chooses a name or a path writes lines of the log."""

from __future__ import annotations

import logging
from typing import Any


def logging_from(level: str) -> dict[str, Any]:
    """Django's LOGGING."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": "centerhook.log_lines.LineFormatter",
                "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {"rq.worker": {"level": "WARNING"}, "axes": {"level": "WARNING"}},
    }


def _escaped(text: str) -> str:
    """With each character that is not seen, or ends a line, by its number."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


class LineFormatter(logging.Formatter):
    """A message is one line, and whatever follows it, such as a traceback, is indented.

    What is in a message may come from anybody: the name at a failed sign-in, a path.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        return _escaped(super().formatMessage(record))

    def formatException(self, ei: object) -> str:  # noqa: N802
        return _indented(super().formatException(ei))  # type: ignore[arg-type]

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        return _indented(super().formatStack(stack_info))


def _indented(text: str) -> str:
    return "\n".join(f"  {_escaped(line)}" for line in text.splitlines())
