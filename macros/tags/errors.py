"""What can be wrong with a template, and with a value that it renders."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in a template, where its author sees it; counted from 1."""

    line: int
    column: int
    message: str
    suggestion: str | None

    def __str__(self) -> str:
        end = "" if self.message.endswith((".", "?")) else "."
        text = f"Line {self.line}, column {self.column}: {self.message}{end}"
        if self.suggestion is not None:
            text += f" Did you mean {self.suggestion}?"
        return text


class TemplateError(Exception):
    """A template that is refused, with every problem found in one go."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class RenderError(Exception):
    """A template that cannot be rendered for one subject.

    `tag` is the tag's label without parentheses, None when no single tag is to blame.
    The message is a sentence and never holds a value: it could be a secret.
    """

    def __init__(self, tag: str | None, message: str) -> None:
        super().__init__(tag, message)
        self.tag = tag
        self.message = message

    def __str__(self) -> str:
        return self.message


class ValueRefused(Exception):
    """A value that a filter or the output cannot take.

    The message is the end of a sentence that begins with the tag.
    """


class Missing(ValueRefused):
    """A required value that is empty."""


class BadArgument(Exception):
    """A filter's argument that is refused when the template is compiled."""

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.suggestion = suggestion
