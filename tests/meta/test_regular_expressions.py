"""No regular expression of Python's engine takes more than linear time.

What meets text of others and needs more power is for RE2 (`import re2`), which is
linear whatever it is given.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from logs.privacy.traces import Traces
from tests.meta.regular_expressions import Use, faults_of

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("centerhook", "feedback", "logs", "macros")
METHODS = frozenset(
    ["compile", "match", "fullmatch", "search", "sub", "subn", "split", "findall"]
) | {"finditer"}
_USES = {"match": Use.MATCH, "fullmatch": Use.FULLMATCH}

# What is put together from values while it runs: an expression made of typical ones.
_TRACES = Traces(
    ["Ann O'Brien", "王小明"], email="ann.o'b+x@example.com", phone="+49 (30) 123-4567"
)
MADE = {
    "logs.privacy.traces: self._pattern": _TRACES._pattern.pattern,
    "logs.privacy.traces: self._number": _TRACES._number.pattern,
    "macros.steps.kinds.web_request.return_values: named": r"values-(\d{1,3})-name",
}
# Those that take no longer all the same, each with the reason.
_NEXT_BRANCH = "what one branch gives up is taken by the next, so it is read twice"
_FIRST_FAULT = "a text without an end is refused at once, so none is read again"
_HAS_ENDS = "the JSON is valid by then, so each text has an end"
ALLOWED = {
    "logs.redaction.masks: _PARAMETER": _NEXT_BRANCH,
    "logs.redaction.typed: _MEMBER": _NEXT_BRANCH,
    "feedback.odata.tokens: _PATTERN": _FIRST_FAULT,
    "macros.tags.arguments: QUOTED": _FIRST_FAULT,
    "macros.tags.contexts.json_text: _STRING": _HAS_ENDS,
    "macros.tags.contexts.json_text: _STRING_OR_CONSTANT": (
        "it ends at a constant that was read, so each text before it has an end"
    ),
    "macros.tags.contexts.members: _TOKEN": _HAS_ENDS,
    "macros.tags.formatting: _TOKEN": _HAS_ENDS,
    "macros.tags.markup: _BLANK_LINES": "it fails only after a single line break",
}


@dataclass(frozen=True)
class Expression:
    module: str
    name: str
    pattern: str
    flags: int
    use: Use

    def __str__(self) -> str:
        return f"{self.module}: {self.name}"


def modules() -> list[str]:
    paths = (path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
    names = (".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths)
    return sorted(name.removesuffix(".__init__") for name in names)


def source_of(module: str) -> str:
    path = ROOT.joinpath(*module.split("."))
    whole = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return whole.read_text()


@cache
def trees() -> dict[str, ast.Module]:
    return {name: ast.parse(source_of(name)) for name in modules()}


def expressions() -> Iterator[Expression]:
    for name, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _is_of_re(node.func) and node.args:
                yield _expression(name, tree, node)


def _is_of_re(function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        return function.id in ("RegexValidator", "re_path")
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "re"
        and function.attr in METHODS
    )


def _expression(name: str, tree: ast.Module, call: ast.Call) -> Expression:
    label = _variable(tree, call) or ast.unparse(call.args[0])
    pattern = MADE.get(f"{name}: {label}")
    values = vars(import_module(name))
    if pattern is None:
        # Only our own source, in its own module.
        pattern = eval(compile(ast.Expression(call.args[0]), name, "eval"), values)  # noqa: S307
    flags = [*call.args[1:2], *(each.value for each in call.keywords)]
    given = [_flag(each, values) for each in flags]
    return Expression(name, label, pattern, sum(given), _use(name, tree, call))


def _flag(node: ast.expr, values: dict[str, object]) -> int:
    try:
        value = eval(compile(ast.Expression(node), "flags", "eval"), values)  # noqa: S307
    except NameError:
        return 0
    return int(value) if isinstance(value, re.RegexFlag) else 0


def _variable(tree: ast.Module, call: ast.Call) -> str:
    """What it is kept as, or one of its methods; else nothing."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            kept = node.value
            kept = kept.value if isinstance(kept, ast.Attribute) else kept
            if kept is call:
                return ast.unparse(node).partition(" = ")[0]
    return ""


def _use(module: str, tree: ast.Module, call: ast.Call) -> Use:
    """How it is looked for, as far as can be seen; else anywhere in a text."""
    if isinstance(call.func, ast.Attribute) and call.func.attr != "compile":
        return _USES.get(call.func.attr, Use.SEARCH)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.value is call:
            return _USES.get(node.attr, Use.SEARCH)
    return _use_of_name(module, _variable(tree, call))


def _use_of_name(module: str, name: str) -> Use:
    """The same for a variable, in its module and in those that import it."""
    uses = {
        use
        for other, (imported, uses) in readers().items()
        if other == module or name in imported
        for use in uses.get(name, ())
    }
    return uses.pop() if len(uses) == 1 else Use.SEARCH


@cache
def readers() -> dict[str, tuple[set[str], dict[str, set[Use]]]]:
    """The names a module imports, and how those it reads are looked for."""
    return {name: (_imported(tree), _uses_in(tree)) for name, tree in trees().items()}


def _imported(tree: ast.Module) -> set[str]:
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    return {each.name for node in imports for each in node.names}


def _uses_in(tree: ast.Module) -> dict[str, set[Use]]:
    methods = {
        id(node.func.value): _USES[node.func.attr]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _USES
        and len(node.args) == 1
    }
    uses: dict[str, set[Use]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            use = methods.get(id(node), Use.SEARCH)
            uses.setdefault(node.id, set()).add(use)
    return uses


@cache
def every_expression() -> list[Expression]:
    return list(expressions())


@pytest.mark.sweep
def test_the_expressions_are_found() -> None:
    assert len(every_expression()) > 100
    assert set(MADE) | set(ALLOWED) <= {str(each) for each in every_expression()}


@pytest.mark.sweep
def test_every_expression_takes_linear_time() -> None:
    faults = {
        str(each): faults_of(each.pattern, each.flags, each.use)
        for each in every_expression()
        if str(each) not in ALLOWED
    }
    assert {name: these for name, these in faults.items() if these} == {}


@pytest.mark.parametrize(
    ("pattern", "use", "fault"),
    [
        (r"(a+)+b", Use.MATCH, "exponential"),
        (r"(?:a*)*b", Use.MATCH, "exponential"),
        (r"(a|aa)+b", Use.MATCH, "exponential"),
        (r"\d*\d*x", Use.MATCH, "quadratic"),
        (r"(\s*)x?\s*y", Use.MATCH, "quadratic"),
        (r".*?,.*?;", Use.MATCH, "quadratic"),
        (r"a+b", Use.SEARCH, "quadratic"),
        (r"\s+$", Use.SEARCH, "quadratic"),
        (r"(?:\+|00)[\s+]*49", Use.SEARCH, "quadratic"),
        (r"a+(.*)", Use.MATCH, ""),
        (r"a+(.*)", Use.FULLMATCH, "quadratic"),
        (r"(?=\S*curl)", Use.SEARCH, "quadratic"),
        (r'"(?:[^"\\]|\\.)*"', Use.SEARCH, "quadratic"),
        (r'"(?:[^"\\]|\\.)*"', Use.MATCH, ""),
        (r"a+b", Use.MATCH, ""),
        (r"a*ba*c", Use.MATCH, ""),
        (r"(?:\s+x)*y", Use.MATCH, ""),
        (r"\s+", Use.SEARCH, ""),
        (r"^\s*x", Use.SEARCH, ""),
        (r"(?m)^\s*x", Use.SEARCH, "quadratic"),
        (r"(?m)^[ \t]*x", Use.SEARCH, ""),
        (r"<([\w:.-]+)>([^<>]+)(?=</\1>)", Use.SEARCH, ""),
    ],
)
def test_what_is_slow_is_told_from_what_is_not(
    pattern: str, use: Use, fault: str
) -> None:
    faults = faults_of(pattern, use=use)
    assert [each.partition(":")[0] for each in faults] == ([fault] if fault else [])


def test_every_module_is_read() -> None:
    assert all(isinstance(import_module(name), ModuleType) for name in trees())
