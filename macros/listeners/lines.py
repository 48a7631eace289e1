"""Settings of listeners that are written line by line."""

from __future__ import annotations

from collections.abc import Mapping

from feedback.names import fold

_ARROW = "->"


def listed(text: str) -> list[str]:
    """One per line, each once."""
    lines = (line.strip() for line in text.splitlines())
    return list(dict.fromkeys(line for line in lines if line))


class ValueMap:
    """`Done -> Closed` on each line; `* -> Open` is for all others."""

    def __init__(self, text: str) -> None:
        """Raises ValueError, with a sentence."""
        self.pairs: dict[str, str] = {}
        for number, line in enumerate(text.splitlines(), start=1):
            if not line.strip():
                continue
            given, arrow, wanted = (part.strip() for part in line.partition(_ARROW))
            if not (given and arrow and wanted):
                raise ValueError(f"Line {number}: write it as Done -> Closed.")
            if fold(given) in self.pairs:
                raise ValueError(f"Line {number}: '{given}' is there twice.")
            self.pairs[fold(given)] = wanted

    def __bool__(self) -> bool:
        return bool(self.pairs)

    def look_up(self, value: str) -> str | None:
        """None where it says nothing of the value."""
        return self.pairs.get(fold(value.strip()), self.pairs.get("*"))


def named_lines(text: str) -> Mapping[str, str]:
    """`name: value` on each line; one that begins with a space goes on with the last.

    Raises ValueError, with a sentence.
    """
    values: dict[str, str] = {}
    name = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if line[:1] in (" ", "\t") and name:
            values[name] += f"\n{line.strip()}"
            continue
        if not line.strip():
            continue
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not (name and colon):
            raise ValueError(f"Line {number}: write it as name: value.")
        if name in values:
            raise ValueError(f"Line {number}: '{name}' is there twice.")
        values[name] = value
    return values
