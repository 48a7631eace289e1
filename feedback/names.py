"""How the names of external data are compared, and names stand in one line."""

from __future__ import annotations

import re

_SEPARATORS = re.compile(r"[\s_-]+")


def normalise(name: str) -> str:
    """`Jira key` and `jira_key` are one name, as in tags.

    A copy, since `macros.tags` imports nothing of ours; a test holds that they agree.
    """
    return _SEPARATORS.sub("_", name.strip().casefold()).strip("_")


def one_line(text: str) -> str:
    """For a header or the subject of a mail: no name begins another line."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
