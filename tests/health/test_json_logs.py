"""Lines for programs: one object each, whatever a stranger writes into a message."""

from __future__ import annotations

import json
import logging
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from centerhook.log_lines import JsonFormatter, logging_from


def line(message: str, *args: object, **options: Any) -> str:
    logger = logging.getLogger("tests")
    record = logger.makeRecord(
        "tests", logging.WARNING, "f.py", 1, message, args, None, extra=options
    )
    return JsonFormatter().format(record)


def test_a_line_says_what_it_is_about() -> None:
    entry = json.loads(line("Run %s was dropped", 7, run=7, password="hunter2"))
    assert entry.pop("time").endswith("+00:00")
    assert entry == {
        "level": "WARNING",
        "logger": "tests",
        "message": "Run 7 was dropped",
        "run": 7,
    }


@given(text=st.text())
def test_any_message_is_one_line(text: str) -> None:
    written = line("%s", text)
    assert written.isascii() and written.isprintable()
    assert json.loads(written)["message"] == text


def test_a_fault_is_in_the_same_line() -> None:
    try:
        raise ValueError("broken\nin two")
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("tests", logging.ERROR, "f.py", 1, "x", (), info)
    written = JsonFormatter().format(record)
    assert "\n" not in written and "broken\nin two" in json.loads(written)["exception"]


def test_the_setting_chooses_the_form() -> None:
    for form in ("json", "line"):
        config = logging_from("INFO", form)
        assert config["handlers"]["stderr"]["formatter"] == form
