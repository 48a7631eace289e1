"""A preset as its file describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from feedback.models import FeedbackType, SubjectKind

from ...models import ActionKind, Scheme

_ANY = "Any system"


@dataclass(frozen=True, slots=True)
class Asked:
    """What people are asked for; in one with `lines` each line is a value.

    In its default `{closed}` stands for the first status of the feedback type that
    closes a ticket, and `{open}` for the first that does not.
    """

    key: str
    label: str
    help: str
    default: str = ""
    lines: bool = False
    is_optional: bool = False

    def default_for(self, of: FeedbackType | None) -> str:
        statuses = list(of.statuses.all()) if of is not None else []
        closed = [each.name for each in statuses if not each.is_open]
        opened = [each.name for each in statuses if each.is_open]
        text = self.default.replace("{closed}", [*closed, "Closed"][0])
        return text.replace("{open}", [*opened, "Open"][0])


@dataclass(frozen=True, slots=True)
class NeededSecret:
    """What the sender signs with; `name` is only suggested."""

    name: str
    label: str
    help: str


@dataclass(frozen=True, slots=True)
class ListenerPreset:
    """`listener` has the members of a listener in a file of the configuration.

    In its texts `[[key]]` stands for what was asked. The secret of its checks is the
    one that is asked for.
    """

    id: str
    title: str
    vendor: str
    summary: str
    documentation: str
    # What is to be done at the sender, step by step.
    set_up: tuple[str, ...]
    settings: tuple[Asked, ...]
    listener: Mapping[str, Any]
    secret: NeededSecret | None = None

    @classmethod
    def from_data(cls, name: str, data: Mapping[str, Any]) -> ListenerPreset:
        """Raises TypeError or KeyError where a member is unknown or missing."""
        secret = data.get("secret")
        members = {
            **data,
            "set_up": tuple(data["set_up"]),
            "settings": tuple(Asked(**each) for each in data["settings"]),
            "secret": secret and NeededSecret(**secret),
        }
        return cls(id=name, **members)

    @property
    def is_for_any(self) -> bool:
        """Whether it is for no one sender."""
        return self.vendor == _ANY

    @property
    def subject_kind(self) -> SubjectKind:
        return SubjectKind(self.listener.get("subject_kind", SubjectKind.FEEDBACK))

    @property
    def takes_key(self) -> bool:
        """Whether callers show an API key."""
        return any(each["scheme"] == Scheme.API_KEY for each in self.listener["checks"])

    @property
    def creates(self) -> bool:
        """Whether it makes tickets, which only the listener of a type can."""
        return any(
            each["kind"] == ActionKind.CREATE for each in self.listener["actions"]
        )
