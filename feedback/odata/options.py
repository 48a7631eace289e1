"""The options of a query: each is understood, or refused by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Q
from django.http import QueryDict

from ..names import did_you_mean
from .errors import NotSupported, OptionRefused
from .filtering import compile_filter
from .operands import LIST, Operand
from .tokens import FILTER

SELECT, ORDER_BY, COUNT = "$select", "$orderby", "$count"
TOP, SKIP, SKIP_TOKEN, FORMAT = "$top", "$skip", "$skiptoken", "$format"
KNOWN = (SELECT, FILTER, ORDER_BY, TOP, SKIP, COUNT, SKIP_TOKEN, FORMAT)
MAX_ORDERS = 5
# What every database can skip.
_MAX_NUMBER = 10**9
_FORMATS = ("json", "application/json")


@dataclass(frozen=True)
class Order:
    """One of the fields by which rows are in order."""

    name: str
    is_descending: bool


@dataclass(frozen=True)
class Options:
    """`select` is empty for all fields, and `where` None for all rows."""

    select: tuple[str, ...] = ()
    where: Q | None = None
    order: tuple[Order, ...] = ()
    top: int | None = None
    skip: int = 0
    is_counted: bool = False
    token: str = ""


def read_options(data: QueryDict, fields: Mapping[str, Operand]) -> Options:
    """Raises OptionRefused, NotSupported."""
    refuse_unknown(data)
    given = {name: _one(data, name) for name in data}
    if given.get(FORMAT, "json").partition(";")[0] not in _FORMATS:
        raise NotSupported(FORMAT, "The one format is json.")
    text = given.get(FILTER)
    if SKIP_TOKEN in given and {TOP, SKIP} & given.keys():
        raise OptionRefused(SKIP_TOKEN, "Give it without $top and $skip.")
    return Options(
        select=_select(given.get(SELECT, ""), fields),
        where=None if text is None else compile_filter(text, fields),
        order=tuple(_order(given.get(ORDER_BY, ""), fields)),
        top=_number(given, TOP),
        skip=_number(given, SKIP) or 0,
        is_counted=_truth(given, COUNT),
        token=given.get(SKIP_TOKEN, ""),
    )


def only(data: QueryDict, *names: str) -> None:
    """Raises OptionRefused for another one."""
    for name in data:
        if name not in names:
            raise OptionRefused(name, "This address takes no such option.")


def refuse_unknown(data: QueryDict) -> None:
    """Raises OptionRefused, NotSupported."""
    for name in data:
        if name in KNOWN:
            continue
        shown = name[:60]
        if name.startswith("$"):
            raise NotSupported(shown, f"The option '{shown}' is not supported.")
        raise OptionRefused(shown, "There is no such option.")


def _one(data: QueryDict, name: str) -> str:
    values = data.getlist(name)
    if len(values) > 1:
        raise OptionRefused(name, "Give it once.")
    return values[0].strip()


def _select(text: str, fields: Mapping[str, Operand]) -> tuple[str, ...]:
    names = [part.strip() for part in text.split(",")] if text else []
    if "*" in names:
        return ()
    for name in names:
        _known(SELECT, name, fields)
    return tuple(dict.fromkeys(names))


def _order(text: str, fields: Mapping[str, Operand]) -> list[Order]:
    parts = text.split(",") if text else []
    if len(parts) > MAX_ORDERS:
        raise OptionRefused(ORDER_BY, f"Give at most {MAX_ORDERS} fields.")
    orders: list[Order] = []
    for part in parts:
        name, _, direction = part.strip().partition(" ")
        if "(" in name:
            raise NotSupported(ORDER_BY, f"'{part.strip()[:60]}' is not supported.")
        _known(ORDER_BY, name, fields)
        if fields[name].type == LIST:
            raise OptionRefused(ORDER_BY, f"'{name}' is a list, which has no order.")
        if direction.strip() not in ("", "asc", "desc"):
            problem = f"'{direction.strip()[:60]}' is neither asc nor desc."
            raise OptionRefused(ORDER_BY, problem)
        if name not in {each.name for each in orders}:
            orders.append(Order(name, direction.strip() == "desc"))
    return orders


def _known(option: str, name: str, fields: Mapping[str, Operand]) -> None:
    if "/" in name:
        raise NotSupported(option, f"The path '{name[:60]}' is not supported.")
    if name not in fields:
        near = did_you_mean(name, fields)
        raise OptionRefused(option, f"There is no field '{name[:60]}'.{near}")


def _number(given: Mapping[str, str], option: str) -> int | None:
    text = given.get(option)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise OptionRefused(option, f"Give a number from 0 to {_MAX_NUMBER - 1:,}.")
    return int(text)


def _truth(given: Mapping[str, str], option: str) -> bool:
    text = given.get(option, "false")
    if text not in ("true", "false"):
        raise OptionRefused(option, "Give true or false.")
    return text == "true"
