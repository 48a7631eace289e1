"""The conditions of a filter as rows of a form, each of which says its group.

Without scripts they are a table with some empty rows; `filters.js` makes a builder of
it. Either way the rows are sent, and become one tree here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from ..selection.external import EXTERNAL_PREFIX
from ..selection.fields import Field
from ..selection.qualifiers import Qualifier, Shape

# Empty rows and groups beyond those that are filled in.
SPARE_ROWS = 3
SPARE_GROUPS = 2
# A row of this field says by `name` which external data it is about.
ANY_EXTERNAL = EXTERNAL_PREFIX
MATCHES = {"all": "all of these", "any": "any of these"}
# What a row that is left empty has none of.
_WRITTEN = ("field", "name", "value")
_ROW = re.compile(r"-([0-9]{1,4})-field").fullmatch

Conditions = dict[str, Any]
Fields = Mapping[str, Field]


@dataclass(frozen=True, slots=True)
class Row:
    """One condition as it is written; `group` is 0 outside of all groups."""

    group: int
    field: str
    qualifier: str
    value: Any
    path: str = ""


class ConditionsWidget(forms.Widget):
    """`fields` are those that the owner of the filter has, by name."""

    template_name = "admin/feedback/filter/conditions.html"
    fields: Fields = {}
    external_names: Sequence[str] = ()
    # Sentences by the path of a condition, such as `conditions[2]`.
    problems: Mapping[str, str] = {}

    def render(
        self,
        name: str,
        value: Any,
        attrs: dict[str, Any] | None = None,
        renderer: object = None,
    ) -> SafeString:
        # Forms have a renderer of their own, which does not know our templates.
        context = self.get_context(name, value, attrs)
        return render_to_string(self.template_name, context)

    def get_context(
        self, name: str, value: Any, attrs: dict[str, Any] | None
    ) -> dict[str, Any]:
        tree = value if isinstance(value, Mapping) else {}
        rows = list(rows_of(tree))
        matches = [str(each.get("match", "any")) for each in _groups(tree)]
        groups = len(matches) + SPARE_GROUPS
        matches += ["any"] * SPARE_GROUPS
        empty = Row(0, "", "", "")
        rows += [empty] * SPARE_ROWS
        return {
            **super().get_context(name, value, attrs),
            "name": name,
            "match": tree.get("match", "all"),
            "matches": MATCHES,
            "rows": [
                self._cells(name, str(n), each, groups) for n, each in enumerate(rows)
            ],
            "empty": self._cells(name, "__prefix__", empty, groups),
            "groups": [
                (number, match) for number, match in enumerate(matches, start=1)
            ],
            "external_names": self.external_names,
        }

    def _cells(self, name: str, number: str, row: Row, groups: int) -> dict[str, Any]:
        """What the template shows of a row."""
        field, external = row.field, ""
        if field not in self.fields and field.startswith(EXTERNAL_PREFIX):
            field, external = ANY_EXTERNAL, field.removeprefix(EXTERNAL_PREFIX)
        choices = [(each.name, each.label) for each in self.fields.values()]
        choices.append((ANY_EXTERNAL, "External data …"))
        if field and field not in dict(choices):
            choices.append((field, f"{field} (gone)"))
        return {
            "prefix": f"{name}-{number}",
            "number": int(number) + 1 if number.isdecimal() else 0,
            "group": row.group,
            "groups": range(1, groups + 1),
            "field": field,
            "fields": choices,
            "external": external,
            "qualifier": row.qualifier,
            "qualifiers": Qualifier.choices,
            "value": "\n".join(self._shown(row)),
            "problem": self.problems.get(row.path, ""),
        }

    def _shown(self, row: Row) -> Iterator[str]:
        """The values as people read them, each a line."""
        offered = self.fields[row.field].offered if row.field in self.fields else ()
        labels = {str(value): label for value, label in offered}
        values = row.value if isinstance(row.value, list) else [row.value]
        for each in values:
            if each not in (None, ""):
                text = str(each).lower() if isinstance(each, bool) else str(each)
                yield labels.get(text, text)

    def format_value(self, value: object) -> None:
        """Conditions are not a text."""

    def value_from_datadict(
        self, data: Mapping[str, Any], files: object, name: str
    ) -> Conditions:
        """The rows in which a field is chosen, in their order, each in its group."""
        made: Conditions = {
            "match": _match(data, f"{name}-match", "all"),
            "conditions": [],
        }
        groups: dict[str, Conditions] = {}
        for prefix in _prefixes(data, name):
            condition = self._condition(data, prefix)
            number = data.get(f"{prefix}-group", "")
            if number in ("", "0"):
                made["conditions"].append(condition)
                continue
            if number not in groups:
                match = _match(data, f"{name}-group-{number}-match", "any")
                groups[number] = {"match": match, "conditions": []}
                made["conditions"].append(groups[number])
            groups[number]["conditions"].append(condition)
        return made

    def _condition(self, data: Mapping[str, str], prefix: str) -> Conditions:
        field = data.get(f"{prefix}-field", "")
        if field == ANY_EXTERNAL:
            field += data.get(f"{prefix}-name", "").strip()
        qualifier = data.get(f"{prefix}-qualifier", "")
        condition: Conditions = {"field": field, "qualifier": qualifier}
        if qualifier not in Qualifier.values:
            return condition
        shape = Qualifier(qualifier).shape
        text = data.get(f"{prefix}-value", "").replace("\r\n", "\n")
        if shape in (Shape.SEVERAL, Shape.TWO):
            lines = [line.strip() for line in text.split("\n") if line.strip()]
            condition["value"] = [self._stored(field, line) for line in lines]
        elif shape is not Shape.NOTHING:
            condition["value"] = self._stored(field, text.strip())
        return condition

    def _stored(self, field: str, text: str) -> object:
        """A value that is offered may be given by its name for people, too."""
        if field not in self.fields:
            return text
        offered = self.fields[field].offered
        if text in dict(offered):
            return text
        named = [value for value, label in offered if label == text]
        return named[0] if len(named) == 1 else text

    def value_omitted_from_data(
        self, data: Mapping[str, Any], files: object, name: str
    ) -> bool:
        return f"{name}-match" not in data


class ConditionsField(forms.Field):
    """The tree as it is written; the filter checks it."""

    widget = ConditionsWidget

    def __init__(self, **options: Any) -> None:
        for each in ("encoder", "decoder"):  # For JSON in a text.
            options.pop(each, None)
        super().__init__(**options)

    def has_changed(self, initial: object, data: object) -> bool:
        return bool((initial or {}) != (data or {}))


def rows_of(tree: Mapping[str, Any]) -> Iterator[Row]:
    """Whatever is in there, checked or not."""
    groups = 0
    for index, each in enumerate(_members(tree)):
        path = f"conditions[{index}]"
        if "conditions" not in each:
            yield _row(each, 0, path)
            continue
        groups += 1
        for below, condition in enumerate(_members(each)):
            yield _row(condition, groups, f"{path}.conditions[{below}]")


def _row(condition: Mapping[str, Any], group: int, path: str) -> Row:
    field, qualifier = condition.get("field", ""), condition.get("qualifier", "")
    return Row(group, str(field), str(qualifier), condition.get("value", ""), path)


def _groups(tree: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (each for each in _members(tree) if "conditions" in each)


def _members(tree: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rows = tree.get("conditions")
    rows = rows if isinstance(rows, list) else []
    return [each for each in rows if isinstance(each, Mapping)]


def _match(data: Mapping[str, str], name: str, default: str) -> str:
    given = data.get(name, "")
    return given if given in MATCHES else default


def _prefixes(data: Mapping[str, str], name: str) -> Iterator[str]:
    ends = (key.removeprefix(name) for key in data if key.startswith(name))
    numbers = sorted(int(match[1]) for match in map(_ROW, ends) if match)
    for number in numbers:
        prefix = f"{name}-{number}"
        written = (data.get(f"{prefix}-{each}", "").strip() for each in _WRITTEN)
        if any(written) and f"{prefix}-remove" not in data:
            yield prefix
