"""Text to plain data and back: JSON or YAML, read strictly."""

from __future__ import annotations

import json
import math
from collections.abc import Hashable
from typing import Any

import yaml

from .problems import DocumentRefused, Problems, member

MOST_BYTES = 2_000_000
_DEEPEST = 40


def read(text: str) -> Any:
    """Raises DocumentRefused with a line where the text has a fault."""
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise DocumentRefused([f"The file is longer than {MOST_BYTES:,} bytes."])
    try:
        is_json = text.lstrip("\ufeff \t\r\n").startswith("{")
        data = _from_json(text) if is_json else _from_yaml(text)
    except RecursionError:
        raise DocumentRefused([_TOO_DEEP]) from None
    problems = Problems()
    _check(data, "", problems, 0)
    problems.refuse()
    return data


def write(document: Any, form: str) -> str:
    """`form` is "json" or "yaml"."""
    if form == "json":
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    return yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=88
    )


_TOO_DEEP = f"The file is nested more than {_DEEPEST} levels deep."


def _from_json(text: str) -> Any:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise DocumentRefused([f"The member '{twice[:60]}' is given twice."])
        return found

    def constant(name: str) -> Any:
        raise DocumentRefused([f"{name} is no number in JSON."])

    try:
        return json.loads(
            text.lstrip("\ufeff"), object_pairs_hook=members, parse_constant=constant
        )
    except json.JSONDecodeError as error:
        place = f"Line {error.lineno}, column {error.colno}"
        raise DocumentRefused([f"{place}: this is not JSON: {error.msg}."]) from None
    except ValueError:
        raise DocumentRefused(["A number in the file has too many digits."]) from None


class _Loader(yaml.SafeLoader):
    """Without what makes a small file big, or a text something else."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise _refused(event.start_mark, "aliases (*name) are not read")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            if name is None or key.tag != "tag:yaml.org,2002:str":
                raise _refused(key.start_mark, "the name of a member must be text")
            if name in seen:
                told = f"the member '{name[:60]}' is given twice"
                raise _refused(key.start_mark, told)
            seen.add(name)
        return super().construct_mapping(node, deep)


# A date stays the text that it was.
_Loader.yaml_implicit_resolvers = {
    first: [each for each in found if not each[0].endswith((":timestamp", ":merge"))]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _refused(mark: Any, told: str) -> DocumentRefused:
    return DocumentRefused([f"Line {mark.line + 1}, column {mark.column + 1}: {told}."])


def _from_yaml(text: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe one
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        told = error.problem or "it can't be read"
        raise _refused(mark, f"this is not YAML: {told}") from None
    except yaml.YAMLError as error:
        first = str(error).partition("\n")[0][:200]
        raise DocumentRefused([f"This is not YAML: {first}."]) from None
    except ValueError:
        raise DocumentRefused(["A number in the file can't be read."]) from None


def _check(value: Any, path: str, problems: Problems, depth: int) -> None:
    """Only what a database can keep."""
    if depth > _DEEPEST:
        raise DocumentRefused([_TOO_DEEP])
    if isinstance(value, dict):
        for name, below in value.items():
            where = member(path, name[:60])
            _check(name, where, problems, depth)
            _check(below, where, problems, depth + 1)
    elif isinstance(value, list):
        for number, below in enumerate(value):
            _check(below, f"{path}[{number}]", problems, depth + 1)
    elif isinstance(value, str):
        if "\0" in value or not _is_encodable(value):
            problems.add(_printable(path), "There is a character that can't be stored.")
    elif isinstance(value, float) and not math.isfinite(value):
        problems.add(path, "This is no number.")
    elif value is not None and not isinstance(value, bool | int | float):
        problems.add(path, f"Write it as text; it is {type(value).__name__}.")


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _printable(path: str) -> str:
    return path.encode("ascii", "backslashreplace").decode().replace("\0", "\\0")


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: Any, text: str) -> Any:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
