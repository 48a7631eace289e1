"""Text to plain data and back: JSON or YAML, read strictly."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any, NoReturn

import yaml

from ..tags import is_encodable
from .problems import ConfigRefused, Problems, member

MAX_BYTES = 2_000_000
_DEEPEST = 40
_TOO_BIG = 10**18
# The parser in C where there is one: twenty times as fast.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(text: str) -> object:
    """Raises ConfigRefused with a line where the text has a fault."""
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise ConfigRefused([f"The file is longer than {MAX_BYTES:,} bytes."])
    if not is_encodable(text):
        raise ConfigRefused(["There is a character that can't be stored."])
    try:
        is_json = text.lstrip("\ufeff \t\r\n").startswith("{")
        data = _from_json(text) if is_json else _from_yaml(text)
    except RecursionError:
        raise ConfigRefused([_TOO_DEEP]) from None
    problems = Problems()
    _check(data, "", problems, 0)
    problems.refuse()
    return data


def write(document: object, form: str) -> str:
    """`form` is "json" or "yaml"."""
    if form == "json":
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    return yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=88
    )


_TOO_DEEP = f"The file is nested more than {_DEEPEST} levels deep."


def _from_json(text: str) -> object:
    def members(pairs: list[tuple[str, object]]) -> dict[str, object]:
        group: dict[str, object] = {}
        for name, value in pairs:
            if name in group:
                raise ConfigRefused([f"The member '{name[:60]}' is given twice."])
            group[name] = value
        return group

    def constant(name: str) -> NoReturn:
        raise ConfigRefused([f"{name} is not a number in JSON."])

    try:
        data: object = json.loads(
            text.lstrip("\ufeff"), object_pairs_hook=members, parse_constant=constant
        )
        return data
    except json.JSONDecodeError as error:
        where = f"Line {error.lineno}, column {error.colno}"
        raise ConfigRefused([f"{where}: this is not JSON: {error.msg}."]) from None
    except ValueError:
        raise ConfigRefused(["A number in the file has too many digits."]) from None


_Group = dict[str, object] | list[object]


@dataclass(slots=True)
class _Open:
    """A group that is being read, and the name in it that waits for its value."""

    group: _Group
    name: str | None = None


class _Builder:
    """Builds from the parser's events, so that nothing is built that is refused.

    YAML's own loader takes minutes for some numbers, and makes a small file big.
    """

    def __init__(self) -> None:
        self.root: object = None
        self.documents = 0
        self.open: list[_Open] = []

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise _refused(event.start_mark, "a second document begins")
        elif isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            problem = "anchors (&name) and aliases (*name) are not read"
            raise _refused(event.start_mark, problem)
        elif getattr(event, "tag", None):
            raise _refused(event.start_mark, "tags (!name) are not read")
        elif isinstance(event, yaml.ScalarEvent):
            self._put(_scalar(event), event.start_mark)
        elif isinstance(event, yaml.CollectionStartEvent):
            made: _Group = {} if isinstance(event, yaml.MappingStartEvent) else []
            self._put(made, event.start_mark)
            self.open.append(_Open(made))
            if len(self.open) > _DEEPEST:
                raise ConfigRefused([_TOO_DEEP])
        elif isinstance(event, yaml.CollectionEndEvent):
            self.open.pop()

    def _put(self, value: object, mark: Any) -> None:
        if not self.open:
            self.root = value
            return
        open_ = self.open[-1]
        if isinstance(open_.group, list):
            open_.group.append(value)
        elif open_.name is not None:
            open_.group[open_.name] = value
            open_.name = None
        elif not isinstance(value, str):
            raise _refused(mark, "the name of a member must be text")
        elif value in open_.group:
            raise _refused(mark, f"the member '{value[:60]}' is given twice")
        else:
            open_.name = value


# Fewer texts than in YAML 1.1 are something else than text: `no` and `010` are not.
_SCALARS = re.compile(
    r"(?P<null>~|null|Null|NULL|)"
    r"|(?P<true>true|True|TRUE)|(?P<false>false|False|FALSE)"
    r"|(?P<int>[-+]?(0|[1-9][0-9]{0,17}))"
    r"|(?P<float>[-+]?[0-9]{1,18}\.[0-9]{0,18}([eE][-+][0-9]{1,3})?)"
)


def _scalar(event: yaml.ScalarEvent) -> object:
    match = _SCALARS.fullmatch(event.value) if event.implicit[0] else None
    kind = match.lastgroup if match else None
    if kind in ("int", "float"):
        return int(event.value) if kind == "int" else float(event.value)
    return {"null": None, "true": True, "false": False}.get(kind or "", event.value)


def _refused(mark: Any, problem: str) -> ConfigRefused:
    return ConfigRefused(
        [f"Line {mark.line + 1}, column {mark.column + 1}: {problem}."]
    )


def _from_yaml(text: str) -> object:
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or "it can't be read"
        if "nesting depth" in problem:  # Since PyYAML 6.0.4, at 1,000 levels.
            raise ConfigRefused([_TOO_DEEP]) from None
        raise _refused(mark, f"this is not YAML: {problem}") from None
    except yaml.YAMLError as error:
        first = str(error).partition("\n")[0][:200]
        raise ConfigRefused([f"This is not YAML: {first}."]) from None
    return builder.root


def _check(value: object, path: str, problems: Problems, depth: int) -> None:
    """Only what a database can keep."""
    if depth > _DEEPEST:
        raise ConfigRefused([_TOO_DEEP])
    if isinstance(value, dict):
        for name, below in value.items():
            where = member(path, name[:60])
            _check(name, where, problems, depth)
            _check(below, where, problems, depth + 1)
    elif isinstance(value, list):
        for number, below in enumerate(value):
            _check(below, f"{path}[{number}]", problems, depth + 1)
    elif isinstance(value, str):
        if "\0" in value or not is_encodable(value):
            problems.add(_printable(path), "There is a character that can't be stored.")
    elif isinstance(value, float) and not math.isfinite(value):
        problems.add(path, "This is not a number.")
    elif isinstance(value, int) and abs(value) >= _TOO_BIG:
        problems.add(path, "This number has too many digits.")


def _printable(path: str) -> str:
    return path.encode("ascii", "backslashreplace").decode().replace("\0", "\\0")


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


_ODD_BREAKS = re.compile("[\x85\u2028\u2029]")


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    # PyYAML takes some for ends of lines, and would write others in their place.
    odd = _ODD_BREAKS.search(text)
    style = '"' if odd else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
