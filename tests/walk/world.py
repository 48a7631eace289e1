"""Two communities, people in every role, and a row of everything to look for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, User
from django.db.models import Model, Q
from django.test import Client

from feedback.access.roles import Role
from feedback.models import Community, FeedbackType
from logs.models import Destination
from tests import factories
from tests.meta.test_scoping import OURS

# In every text of the other community, and of the next project in one's own.
THEIRS = "Unreleased phone"
NEXT = "Hidden watch"
MINE = "Ordinary lamp"

# From the one who may most. "nobody" is staff without a role.
RANKS = [*(role.value for role in reversed(Role)), "superuser"]


@dataclass(frozen=True)
class Person:
    """A role, given in the whole community or in the project `mine` is in."""

    role: str
    in_project: bool = False

    def __str__(self) -> str:
        return f"{self.role}{' of a project' if self.in_project else ''}"

    def is_at_least(self, least: str) -> bool:
        if self.role not in RANKS or least not in RANKS:
            return False
        return RANKS.index(self.role) >= RANKS.index(least)


PEOPLE = [
    *(Person(role) for role in Role),
    *(Person(role, True) for role in Role if role != Role.COMMUNITY_MANAGER),
    Person("nobody"),
]


@dataclass(frozen=True)
class World:
    mine: FeedbackType
    next: FeedbackType
    theirs: FeedbackType

    @classmethod
    def build(cls) -> World:
        mine, theirs = _type(MINE), _type(THEIRS)
        world = cls(mine, _type(NEXT, mine.project.community), theirs)
        for made, name in ((mine, MINE), (world.next, NEXT), (theirs, THEIRS)):
            factories.one_of_everything(made, name)
            # In the whole community, where a role in the project `mine` does not reach.
            whole = made.project.community if made != mine else made.project
            for owner, kind in ((made.project, "project"), (whole, "whole")):
                url, named = "https://example.com/", f"{name} of the {kind}"
                factories.run(factories.macro(owner, url, name=named))
        _mark_what_has_no_name(world)
        Group.objects.create(name=THEIRS)
        return world

    def row(self, of: FeedbackType, label: str) -> Any:
        """The row of a model that is in the type's project, or at least community."""
        if label.startswith("auth."):
            return model_of(label)._default_manager.order_by("pk").first()
        model: Any = apps.get_model(label)
        tenancy = model.tenancy
        rows = model.objects.filter(**{tenancy.community: of.project.community_id})
        own = rows.none()
        if tenancy.project:
            own = rows.filter(**{tenancy.project: of.project_id})
        return own.first() or rows.order_by("pk").first()

    def all_of(self, of: FeedbackType) -> dict[str, list[Any]]:
        """Every row of the type's community, to be compared with what is left."""
        community = of.project.community_id
        rows_by_model = {}
        for model in OURS:
            where = Q(**{model.tenancy.community: community})  # type: ignore[attr-defined]
            rows = model._base_manager.filter(where).distinct().order_by("pk")
            rows_by_model[model._meta.label] = list(rows.values_list())
        return rows_by_model


def _type(name: str, community: Community | None = None) -> FeedbackType:
    """In a community of its own, or in a second project of the given one."""
    made = factories.feedback_type(f"{name} reports", name.split()[0].upper())
    project, own = made.project, made.project.community
    project.community = community or own
    project.name = f"{name} project"
    project.save()
    if community:
        own.delete()
    else:
        own.name = f"{name} community"
        own.save()
    return made


def _mark_what_has_no_name(world: World) -> None:
    for of, name in ((world.mine, MINE), (world.theirs, THEIRS)):
        host = name.replace(" ", "-").lower()
        community = of.project.community
        for number, tester in enumerate(community.testers.order_by("pk")):
            tester.email = f"tara{number}@{host}.example"
            tester.save()
        rows = Destination.objects.filter(community=community)
        for number, row in enumerate(rows):
            row.origin = f"https://{host}{number or ''}.example:443"
            row.save()


def client_of(person: Person, world: World) -> Client:
    client = Client(raise_request_exception=True)
    if person.role == "nobody":
        user = User.objects.create_user("nobody", is_staff=True)
    else:
        user = factories.member(
            world.mine, person.role, "walker", in_project=person.in_project
        )
    client.force_login(user)
    return client


def markers(person: Person) -> Iterator[str]:
    """What this person must never read."""
    yield from (THEIRS, THEIRS.replace(" ", "-"))
    if person.in_project or person.role == "nobody":
        yield NEXT
    if person.role == "nobody":
        yield MINE


def model_of(label: str) -> type[Model]:
    return apps.get_model(label)
