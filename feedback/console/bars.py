"""The bars of a list: what narrows it, above, and what is done with it, below."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.utils.html import escape, strip_tags
from django.utils.safestring import SafeString
from django.utils.text import Truncator, capfirst

MACRO, DELETION = "macro_", "delete_selected"
# Characters of a value on a chip, and of a word that need not break.
_SHOWN, _LONG = 60, 20


@dataclass(frozen=True, slots=True)
class Chip:
    """One thing that narrows the list, and the list without it."""

    words: str
    url: str


@dataclass(frozen=True, slots=True)
class Button:
    """An action with a button of its own, and its index among all of the form."""

    index: int
    name: str
    label: str


@dataclass(slots=True)
class Actions:
    """The actions of a list as its bar shows them."""

    macros: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[Button] = field(default_factory=list)
    deletion: Button | None = None


def chips(request: HttpRequest, changelist: Any) -> list[Chip]:
    """What the list is narrowed by, in the order of its filters."""
    given = changelist.filter_params
    made = list(_linked(request, changelist))
    for spec in changelist.filter_specs:
        names = [name for name in spec.expected_parameters() if name in given]
        values = [each for name in names for each in given[name] if each.strip()]
        if values:
            words = ", ".join(_in_words(spec, changelist)) or ", ".join(values)
            made.append(_chip(changelist, str(spec.title), words, names))
    return [*made, *_dates(changelist)]


def _chip(changelist: Any, title: str, words: str, names: Sequence[str]) -> Chip:
    shown = Truncator(words).chars(_SHOWN)
    url = changelist.get_query_string(dict.fromkeys(names))
    return Chip(f"{capfirst(title)}: {shown}", url)


def _in_words(spec: Any, changelist: Any) -> Iterator[str]:
    """The values that are chosen; the first choice of a filter is all there is."""
    if hasattr(spec, "words"):
        yield from spec.words()
        return
    for index, choice in enumerate(spec.choices(changelist)):
        if index and choice.get("selected"):
            yield str(choice["display"])


def _linked(request: HttpRequest, changelist: Any) -> Iterator[Chip]:
    """What another page narrowed the list to, by a link."""
    specs = changelist.filter_specs
    shown = {name for spec in specs for name in spec.expected_parameters()}
    admin, given = changelist.model_admin, changelist.filter_params
    for name in getattr(admin, "linked_parameters", ()):
        if name in given and name not in shown:
            title, words = admin.linked_in_words(request, name, given[name])
            yield _chip(changelist, title, words, [name])


def _dates(changelist: Any) -> Iterator[Chip]:
    admin = changelist.model_admin
    path = admin.date_hierarchy
    names = [f"{path}__{part}" for part in ("year", "month", "day")] if path else []
    given = [changelist.filter_params.get(name, [""])[0] for name in names]
    if any(given):
        title = str(admin.opts.get_field(path).verbose_name)
        yield _chip(changelist, title, "-".join(filter(None, given)), names)


def actions(choices: Iterable[tuple[str, Any]]) -> Actions:
    """Macros are chosen from a list, everything else has a button, deleting the last.

    Django takes the action at the index that the button says, among all that the form
    holds: first the list of macros, where there is one.
    """
    named = [(name, str(label)) for name, label in choices if name]
    made = Actions([each for each in named if each[0].startswith(MACRO)])
    others = [each for each in named if each not in made.macros]
    others.sort(key=lambda each: each[0] == DELETION)
    buttons = [
        Button(index, name, label)
        for index, (name, label) in enumerate(others, 1 if made.macros else 0)
    ]
    if buttons and buttons[-1].name == DELETION:
        made.deletion = buttons.pop()
    made.buttons = buttons
    return made


def labelled(
    cells: Iterable[str], headers: Iterable[Mapping[str, Any]]
) -> list[SafeString]:
    """The cells of a row, each with the name of its column for a list of cards.

    A card leaves out what has no value. Words that are long are marked: they may break
    anywhere, so that no column is wider than the screen.
    """
    made = []
    for cell, header in zip(cells, headers, strict=False):
        label = capfirst(strip_tags(str(header["text"])).strip())
        words = strip_tags(cell).split()
        has_more = "<input" in cell or "<img" in cell
        attributes = f' data-label="{escape(label)}"'
        if words in ([], ["-"]) and not has_more:
            attributes += ' data-empty=""'
        if any(len(word) > _LONG for word in words):
            attributes += ' data-long=""'
        # Each begins with `<td` or `<th`, as Django makes it.
        made.append(SafeString(cell[:3] + attributes + cell[3:]))
    return made
