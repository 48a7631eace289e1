"""What is wrong with a document, all of it in one go."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

MAX_PROBLEMS = 30


class ConfigRefused(Exception):
    """Sentences, each with the path of what it is about."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(problems)
        self.problems = list(problems)

    def __str__(self) -> str:
        return "\n".join(self.problems)


class Problems:
    """Collects them, and gives up where there are too many to be read."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        # The same as pairs of path and sentence.
        self.faults: list[tuple[str, str]] = []

    def add(self, path: str, sentence: str) -> None:
        self.faults.append((path, sentence))
        self.messages.append(f"{path}: {sentence}" if path else sentence)
        if len(self.messages) >= MAX_PROBLEMS:
            more = "There may be more: this is where reading stopped."
            raise ConfigRefused([*self.messages, more])

    def add_invalid(self, path: str, error: ValidationError) -> None:
        """What a row says of itself, each sentence at the member it is about."""
        named = getattr(error, "error_dict", None)
        if named is None:
            named = {NON_FIELD_ERRORS: [error]}
        for name, errors in named.items():
            where = path if name == NON_FIELD_ERRORS else member(path, name)
            for each in errors:
                for message in each.messages:
                    self.add(where, message)

    def refuse(self) -> None:
        if self.messages:
            raise ConfigRefused(self.messages)


def member(path: str, name: str) -> str:
    """The path of a member within the group at a path."""
    return f"{path}.{name}" if path else name
