"""A kind of step is whole in one place: nothing else asks which kind a step is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from macros.models import step_kinds
from macros.steps import kinds

ROOT = Path(__file__).resolve().parents[2]
HOME = Path(kinds.__file__).parent
OURS = ("centerhook", "feedback", "logs", "macros")


def sources() -> list[Path]:
    paths = (path for app in OURS for path in (ROOT / app).rglob("*.py"))
    return sorted(path for path in paths if "migrations" not in path.parts)


def home_of(kind: str) -> Path:
    """The module or package that is this kind's own."""
    [home] = [path for path in HOME.iterdir() if path.stem == kind]
    return home


def class_names() -> set[str]:
    """The classes that the kinds are made of."""
    return {
        node.name
        for path in HOME.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    }


def names_in(node: ast.AST) -> set[str]:
    return {
        each.id if isinstance(each, ast.Name) else each.attr
        for each in ast.walk(node)
        if isinstance(each, ast.Name | ast.Attribute)
    }


def questions(source: str, classes: set[str]) -> Iterator[int]:
    """The lines that ask whether something is of one of the classes."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and names_in(node.func) & {
            "isinstance",
            "issubclass",
        }:
            asked: set[str] = set().union(*(names_in(each) for each in node.args[1:]))
        elif isinstance(node, ast.Compare):
            is_identity = any(isinstance(each, ast.Is | ast.IsNot) for each in node.ops)
            sides = {
                each.id
                for each in [node.left, *node.comparators]
                if isinstance(each, ast.Name)
            }
            asked = names_in(node) if is_identity else sides
        elif isinstance(node, ast.MatchClass):
            asked = names_in(node.cls)
        else:
            continue
        if asked & classes:
            yield node.lineno


@cache
def literals(path: Path) -> list[tuple[str, int]]:
    """Every text in a module, with its line."""
    return [
        (node.value, node.lineno)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


@pytest.mark.parametrize(
    "line",
    [
        "isinstance(step, WebRequest)",
        "issubclass(kind, (str, kinds.WebRequest))",
        "inline.model is WebRequest",
        "type(step) == WebRequest",
        "match step:\n    case WebRequest():\n        pass",
    ],
)
def test_the_reader_finds_every_way_to_ask(line: str) -> None:
    assert list(questions(line, {"WebRequest"}))
    assert not list(questions(line, {"SendEmail"}))


def test_each_kind_has_a_module_or_package_of_its_name() -> None:
    homes = {path.stem for path in HOME.iterdir() if not path.stem.startswith("__")}
    assert homes == set(step_kinds())
    assert len(class_names()) > 10


def test_nobody_asks_of_which_kind_a_step_is() -> None:
    classes = class_names()
    wrong = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sources()
        for line in questions(path.read_text(), classes)
    ]
    assert wrong == []


@pytest.mark.parametrize("kind", sorted(step_kinds()))
def test_a_kind_is_named_in_its_own_place_only(kind: str) -> None:
    model = step_kinds()[kind]
    words = {kind, model.accessor(), model._meta.label, model._meta.label_lower}
    home = home_of(kind)
    homes = [
        (path, line)
        for path in sources()
        for text, line in literals(path)
        if text in words
    ]
    at_home = [path for path, _ in homes if home in (path, *path.parents)]
    wrong = [(str(path), line) for path, line in homes if path not in at_home]
    assert at_home and wrong == []


@pytest.mark.parametrize("kind", sorted(step_kinds()))
def test_no_template_or_script_names_a_kind(kind: str) -> None:
    roots = [ROOT / "templates", ROOT / "centerhook" / "static"]
    files = [
        path
        for root in roots
        for path in root.rglob("*")
        if path.suffix in {".html", ".js"}
    ]
    assert len(files) > 20
    wrong = [path.name for path in files if kind in path.read_text()]
    assert wrong == []
