"""An action of a listener, its templates compiled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from feedback.names import normalise
from feedback.selection.external import is_name

from ..models import ActionKind, ListenerAction
from ..tags import (
    OutputContext,
    Scope,
    Template,
    TemplateError,
    compile_without_secrets,
)
from .lines import ValueMap, named_lines

# Values that one action may set.
MAX_LINES = 50


@dataclass
class Action:
    """`values` are its templates by the names of what they set; one has none: `""`."""

    row: ListenerAction
    values: dict[str, Template] = field(default_factory=dict)
    value_map: ValueMap = field(default_factory=lambda: ValueMap(""))
    problems: dict[str, list[str]] = field(default_factory=dict)

    @property
    def kind(self) -> ActionKind:
        return ActionKind(self.row.kind)

    @property
    def template(self) -> Template:
        return self.values[""]

    @property
    def label(self) -> str:
        """`Set the status`, or `Run a macro: Send to Jira`."""
        of = self.row.macro.name if self.row.macro else self.row.name
        label = self.kind.label
        return f"{label}: {of}" if of else label

    def attempt(self, setting: str, act: Callable[[], None]) -> None:
        """Do it, and note a problem of the setting."""
        try:
            act()
        except TemplateError as error:
            problems = [str(problem) for problem in error.problems]
            self.problems.setdefault(setting, []).extend(problems)
        except ValueError as error:
            self.problems.setdefault(setting, []).append(str(error))


def compile_action(row: ListenerAction, scope: Scope) -> Action:
    action = Action(row)

    def compile_map() -> None:
        action.value_map = ValueMap(row.value_map)

    def compile_values() -> None:
        has_lines = row.kind == ActionKind.CREATE or (
            row.kind == ActionKind.EXTERNAL and not row.name.strip()
        )
        given = named_lines(row.value) if has_lines else {_name(row): row.value}
        if len(given) > MAX_LINES:
            raise ValueError(f"It sets {len(given)} values; {MAX_LINES} at most.")
        for name, text in given.items():
            template = compile_without_secrets(text, OutputContext.TEXT, scope)
            if row.kind == ActionKind.CREATE:
                check_free(template)
            action.values[_checked(row, name)] = template

    action.attempt("value_map", compile_map)
    if row.kind != ActionKind.RUN:
        action.attempt("value", compile_values)
    return action


def _name(row: ListenerAction) -> str:
    return row.name if row.kind == ActionKind.EXTERNAL else ""


def _checked(row: ListenerAction, name: str) -> str:
    if row.kind != ActionKind.EXTERNAL:
        return name
    key = normalise(name)
    if not is_name(key):
        raise ValueError(f"'{name}' can't be the name of external data.")
    return key


def check_free(template: Template) -> None:
    """While something is created there is nothing yet that has tags of its own."""
    for tag in template.tags:
        if not tag.startswith("Payload: ") and tag != "Now":
            raise ValueError(
                f"(({tag})) has no value before it is created; only ((Payload: ...))"
                " and ((Now)) do."
            )
