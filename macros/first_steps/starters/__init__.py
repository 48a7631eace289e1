"""Feedback types to start from, each a file of data in this folder.

`type` is as in an exported file (docs/config.md), `samples` are tickets of it, the
`values` of each by the keys of the type's questions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from feedback.access.keys import Actor
from feedback.formats import CONFIG_FILE
from feedback.models import FeedbackType, Project
from feedback.names import fold

from ...config import import_document

FOLDER = Path(__file__).parent
# Their order on the page.
ORDER = ("bug-report", "idea", "praise", "discussion")


@dataclass(frozen=True, slots=True)
class Sample:
    title: str
    description: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Starter:
    id: str
    title: str
    summary: str
    type: Mapping[str, Any]
    samples: Sequence[Sample]

    @property
    def statuses(self) -> list[str]:
        return [each["name"] for each in self.type["statuses"]]

    @property
    def questions(self) -> list[str]:
        return [each["label"] for each in self.type["fields"]]


@cache
def all_starters() -> Mapping[str, Starter]:
    """Every starter by its id, in their order."""
    return MappingProxyType({name: _read(name) for name in ORDER})


def _read(name: str) -> Starter:
    """Raises TypeError where a member is unknown or missing."""
    data = yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8"))
    samples = [Sample(**each) for each in data["samples"]]
    return Starter(**{**data, "id": name, "samples": samples})


def start_type(starter: Starter, project: Project, actor: Actor) -> FeedbackType:
    """A new type as the starter says. Raises ConfigRefused."""
    document = {"centerhook": {"format": CONFIG_FILE}, "types": [starter.type]}
    return import_document(document, project, actor=actor).types[0]


def samples_for(kind: FeedbackType) -> Sequence[Sample]:
    """Those of the starter that the type is from; of a type of one's own, the first."""
    starters = all_starters()
    named = (
        each.samples
        for each in starters.values()
        if fold(each.type["name"]) == fold(kind.name)
    )
    return next(named, starters[ORDER[0]].samples)
