"""Integrations stay locked until their community has a valid API key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..models import Community, Member
from .actors import may
from .roles import Role


@dataclass(frozen=True, slots=True)
class Lock:
    """What a person is told about it, and whether they can open it."""

    community: Community
    may_unlock: bool
    managers: list[str]


def locked_message(community: Community | str, what: str = "Web requests") -> str:
    """The sentence that refuses them; a community may be given by its name."""
    return (
        f"{what} are locked: the community {community} has no valid API key."
        " A Community Manager can create one."
    )


def lock_of(community: Community, actor: Any) -> Lock | None:
    """What is told at the top of a page that needs a key, before anything is typed."""
    return None if community.is_unlocked() else explain_lock(community, actor)


def explain_lock(community: Community, actor: Any) -> Lock:
    """For a community that is not unlocked."""
    managers = Member.objects.filter(
        community=community,
        grants__role=Role.COMMUNITY_MANAGER,
        user__is_active=True,
    ).select_related("user")
    return Lock(
        community,
        may_unlock=may(actor, "feedback.add_apikey", community),
        managers=[each.user.get_full_name() or str(each) for each in managers],
    )
