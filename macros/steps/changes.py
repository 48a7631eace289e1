"""The steps that change their subject: compiled once, and rendered for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from feedback.changes import Change, ChangeKind

from ..extraction import ReturnValue
from ..models.secrets import Vault
from ..tags import OutputContext, RenderContext, Scope, Template, compile_shown
from .errors import TooLarge

MAX_COMMENT = 65_536
# The setting that each kind has its value in.
_SETTING = {
    ChangeKind.STATUS: "status",
    ChangeKind.FIELD: "value",
    ChangeKind.COMMENT: "text",
    ChangeKind.VISIBILITY: "visibility",
    ChangeKind.SCORE: "points",
}
_TEMPLATES = {ChangeKind.FIELD, ChangeKind.COMMENT}


@dataclass
class ChangeTemplate:
    """A step that makes no request. Its results are read by people: no secrets."""

    kind: ChangeKind
    value: Any
    key: str = ""
    template: Template | None = None

    # It uses no secret and gets no answer.
    secrets: frozenset[str] = frozenset()
    returns: tuple[ReturnValue, ...] = ()

    @classmethod
    def compile(cls, step: Mapping[str, Any], scope: Scope) -> ChangeTemplate:
        """Raises TemplateError; a step that was saved has been compiled before."""
        kind = ChangeKind(step["kind"])
        value = step[_SETTING[kind]]
        template = None
        if kind in _TEMPLATES:
            template = compile_shown(value, OutputContext.TEXT, scope)
        return cls(kind, value, step.get("field", ""), template)

    def unlock(self, vault: Vault) -> None:
        """It uses no secret."""

    @property
    def templates(self) -> list[Template]:
        return [self.template] if self.template else []

    def render(self, context: RenderContext) -> Change:
        """Raises RenderError."""
        if self.template is None:
            return Change(self.kind, self.value, self.key)
        # What no database can store: a lone surrogate, and NUL.
        text = self.template.render(context).encode("utf-8", "replace").decode()
        text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
        if self.kind == ChangeKind.COMMENT and len(text) > MAX_COMMENT:
            limit = f"{MAX_COMMENT:,}"
            raise TooLarge(None, f"The comment is longer than {limit} characters.")
        return Change(self.kind, text, self.key)

    def empty_tags(self, context: RenderContext) -> list[str]:
        return self.template.empty_tags(context) if self.template else []

    @property
    def words(self) -> str:
        match self.kind:
            case ChangeKind.STATUS:
                return f"Change the status to {self.value}"
            case ChangeKind.FIELD:
                return f"Set the field {self.key}"
            case ChangeKind.COMMENT:
                return "Add a comment"
            case ChangeKind.VISIBILITY:
                return f"Make the ticket {self.value}"
        return f"Add {self.value:+,} points to the tester's score"
