"""Where settings come from: environment variables, or the files that they name."""

from __future__ import annotations

import environ
from environ.fileaware_mapping import FileAwareMapping


class _AsGiven(FileAwareMapping):  # type: ignore[misc]
    def __getitem__(self, key: str) -> str:
        value: str = super().__getitem__(key)
        # Most editors end a file with a line break.
        return value.rstrip("\r\n").replace("$", r"\$")


class Environment(environ.FileAwareEnv):  # type: ignore[misc]
    """Reads NAME, or the file that NAME_FILE names; a value is taken as it stands.

    django-environ takes one that begins with $ for the name of another variable, and
    where there is none gives the default: one random key in fifty would be dropped
    silently.
    """

    def __init__(self, **scheme: object) -> None:
        super().__init__(**scheme)
        self.ENVIRON = _AsGiven()
        self.escape_proxy = True

    def days(self, name: str, default: int | None) -> int | str | None:
        """A whole number. What is none stays as it is: a system check says so."""
        given: str = self.str(name, default="").strip()
        if not given:
            return default
        return int(given) if given.isascii() and given.isdecimal() else given
