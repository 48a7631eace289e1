"""Which secrets a document names."""

from __future__ import annotations

from collections.abc import Iterator

from ..models import kind_named
from ..tags import normalise
from .writing import Document


def _steps(document: object) -> Iterator[Document]:
    """All steps in whatever is in a file, checked or not."""
    for group in [document, *listed(document, "types")]:
        for name in ("macros", "user_macros"):
            for macro in listed(group, name):
                yield from listed(macro, "steps")


def _checks(document: object) -> Iterator[Document]:
    for group in [document, *listed(document, "types")]:
        for listener in listed(group, "listeners"):
            yield from listed(listener, "checks")


def listed(data: object, name: str) -> list[Document]:
    """The groups in a list of a document; nothing where there is no such list."""
    rows = data.get(name) if isinstance(data, dict) else None
    rows = rows if isinstance(rows, list) else []
    return [each for each in rows if isinstance(each, dict)]


def secret_names(document: object) -> list[str]:
    """The normalised names that steps and listeners use, each once, in order."""
    names: list[str] = []
    for step in _steps(document):
        kind = kind_named(step.get("kind"))
        names += kind.secrets_in(step) if kind else ()
    for check in _checks(document):
        name = check.get("secret")
        names += [normalise(name)] if isinstance(name, str) else ()
    return list(dict.fromkeys(names))
