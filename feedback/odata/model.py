"""A package as OData describes it: one entity set, with a key and typed properties."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from xml.etree import ElementTree as xml

NAMESPACE = "CenterHook"
ENTITY_TYPE = "Row"
KEY = "id"
VERSION = "4.0"
_EDMX = "http://docs.oasis-open.org/odata/ns/edmx"
_EDM = "http://docs.oasis-open.org/odata/ns/edm"
_NOT_IN_NAMES = re.compile(r"\W")
# What a name may have (CSDL 4.0, section 17.2).
_MAX_NAME = 128
_TYPES: dict[str, dict[str, str]] = {
    "text": {"Type": "Edm.String"},
    "integer": {"Type": "Edm.Int64"},
    "number": {"Type": "Edm.Decimal", "Scale": "variable"},
    "boolean": {"Type": "Edm.Boolean"},
    "date": {"Type": "Edm.Date"},
    "moment": {"Type": "Edm.DateTimeOffset", "Precision": "6"},
    "list": {"Type": "Collection(Edm.String)"},
}


@dataclass(frozen=True)
class Property:
    """A column of the package, by a name that OData takes."""

    name: str
    column: str
    type: str


@dataclass(frozen=True)
class EntityModel:
    """`columns` are pairs of name and type; `key` is the package's, of its URL."""

    key: str
    columns: Sequence[tuple[str, str]]

    @property
    def entity_set(self) -> str:
        return identifier(self.key)

    @cached_property
    def properties(self) -> dict[str, Property]:
        """Keyed by name; the key is there whether the package has it or not."""
        columns = dict(self.columns)
        pairs = [] if KEY in columns else [(KEY, "integer")]
        made: dict[str, Property] = {}
        # A name that needs no change keeps it, whatever stands before.
        taken = {name for name in columns if identifier(name) == name}
        for column, kind in [*pairs, *self.columns]:
            name = column if column in taken else _free(identifier(column), taken)
            taken.add(name)
            made[name] = Property(name, column, kind)
        return made

    def metadata(self) -> bytes:
        """CSDL, as XML."""
        xml.register_namespace("edmx", _EDMX)
        root = xml.Element(f"{{{_EDMX}}}Edmx", Version=VERSION)
        services = xml.SubElement(root, f"{{{_EDMX}}}DataServices")
        schema = _element(services, "Schema", xmlns=_EDM, Namespace=NAMESPACE)
        row = _element(schema, "EntityType", Name=ENTITY_TYPE)
        _element(_element(row, "Key"), "PropertyRef", Name=KEY)
        for each in self.properties.values():
            is_key = each.name == KEY
            nullable = {"Nullable": "false"} if is_key or each.type == "list" else {}
            _element(row, "Property", Name=each.name, **_TYPES[each.type], **nullable)
        container = _element(schema, "EntityContainer", Name="Container")
        _element(
            container,
            "EntitySet",
            Name=self.entity_set,
            EntityType=f"{NAMESPACE}.{ENTITY_TYPE}",
        )
        written: bytes = xml.tostring(root, encoding="utf-8", xml_declaration=True)
        return written


def identifier(name: str) -> str:
    """As near to the name as OData takes: letters, digits and underscores."""
    plain = _NOT_IN_NAMES.sub("_", name)[: _MAX_NAME - 4]
    begins = plain[:1].isalpha() or plain[:1] == "_"
    return plain if begins else f"_{plain}"


def _free(name: str, taken: set[str]) -> str:
    number = 2
    free = name
    while free in taken:
        free = f"{name}_{number}"
        number += 1
    return free


def _element(parent: xml.Element, tag: str, **attributes: str) -> xml.Element:
    return xml.SubElement(parent, tag, attributes)
