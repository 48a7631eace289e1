"""What a data package can be made of, as people choose it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..access.actors import reached_wholly
from ..models import Community, DataPackage, FeedbackType, PackageRows, Project
from ..selection.saved import Owner

_NOUNS: dict[type[Any], str] = {FeedbackType: "type", Project: "project"}


@dataclass(frozen=True, slots=True)
class Subject:
    """The tickets, testers or deliveries of an owner."""

    owner: Owner
    what: PackageRows

    @property
    def key(self) -> str:
        """Its name in a URL: `type-3-tickets`."""
        noun = _NOUNS.get(type(self.owner), "community")
        return f"{noun}-{self.owner.pk}-{self.what}"

    @property
    def label(self) -> str:
        return str(self.what.label)

    def give(self, package: DataPackage) -> None:
        package.what = self.what
        column = {FeedbackType: "feedback_type", Project: "project"}
        setattr(package, column.get(type(self.owner), "community"), self.owner)
        package.find_owners()


@dataclass(frozen=True, slots=True)
class Choice:
    """What there is of one owner; its words say which."""

    words: str
    subjects: list[Subject]


def choices(actor: Any, permission: str) -> list[Choice]:
    """Where the actor has the permission, such as to add packages."""
    types = FeedbackType.objects.visible_to(actor, permission)
    projects = Project.objects.visible_to(actor, permission)
    communities = Community.objects.filter(reached_wholly(actor, permission))
    rows: list[Choice] = []
    for each in types.select_related("project"):
        some = [PackageRows.TICKETS, PackageRows.DELIVERIES]
        rows.append(Choice(str(each), [Subject(each, what) for what in some]))
    for project in projects.select_related("community"):
        words = f"Project {project}"
        rows.append(Choice(words, [Subject(project, what) for what in PackageRows]))
    for community in communities:
        words = f"Community {community}"
        rows.append(Choice(words, [Subject(community, what) for what in PackageRows]))
    return rows


def chosen(actor: Any, permission: str, key: str) -> Subject | None:
    subjects = (each for row in choices(actor, permission) for each in row.subjects)
    return next((each for each in subjects if each.key == key), None)
