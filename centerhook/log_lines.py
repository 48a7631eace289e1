"""One event, one line: nobody who chooses a name or a path writes lines of the log."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

# What a record may say beside its message: the numbers of what it is about.
_ABOUT = ("run", "delivery")
FORMATS = ("line", "json")


def logging_from(level: str, form: str) -> dict[str, Any]:
    """Django's LOGGING; `form` is one of FORMATS."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": "centerhook.log_lines.LineFormatter",
                "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
            },
            "json": {"()": "centerhook.log_lines.JsonFormatter"},
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": form if form in FORMATS else "line",
            }
        },
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


class JsonFormatter(logging.Formatter):
    """One object a line: time, level, logger, message, and what it is about."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        entry: dict[str, object] = {
            "time": at.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name in _ABOUT:
            if (value := getattr(record, name, None)) is not None:
                entry[name] = value
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        # ASCII, so that nothing in it ends the line or hides.
        return json.dumps(entry, ensure_ascii=True, default=str)


def _indented(text: str) -> str:
    return "\n".join(f"  {_escaped(line)}" for line in text.splitlines())
