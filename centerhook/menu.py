"""The menu: what is registered in the admin, in groups that people think in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils.text import capfirst

from feedback.access.keys import Actor
from feedback.access.roles import VIEW_TICKET
from feedback.console.counting import Count, open_counts
from feedback.models import FeedbackType

# Each model with its icon, in the order of the menu.
GROUPS: dict[str, dict[str, str]] = {
    "Work": {
        "feedback.feedback": "inbox",
        "macros.macro": "zap",
        "logs.run": "play",
        "logs.delivery": "scroll-text",
        "logs.destination": "send",
        "macros.trigger": "plug",
        "macros.schedule": "calendar-clock",
        "macros.listener": "radio",
        "macros.inboundcall": "webhook",
    },
    "People": {
        "feedback.tester": "users",
        "feedback.member": "user-cog",
        "auth.user": "user",
        "auth.group": "shield",
    },
    "Set-up": {
        "feedback.community": "building-2",
        "feedback.project": "folder",
        "feedback.feedbacktype": "list-checks",
        "feedback.filter": "filter",
        "feedback.externalsource": "download",
        "feedback.datapackage": "columns-3",
        "feedback.recordlookup": "search",
        "feedback.apikey": "key",
        "feedback.keyuse": "activity",
        "macros.secret": "lock",
        "logs.auditentry": "history",
    },
}
# Where the menu's word says more than the model's own.
NAMES = {
    "feedback.feedback": "All tickets",
    "logs.delivery": "Webhook log",
    "logs.auditentry": "Audit log",
    "macros.inboundcall": "Calls received",
}


@dataclass(frozen=True, slots=True)
class MenuLink:
    name: str
    icon: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class MenuGroup:
    name: str
    links: list[MenuLink]


def menu_groups(apps: Iterable[Any], path: str) -> list[MenuGroup]:
    """The lists that Django's `get_app_list` offers a person, in our groups."""
    offered = {
        each["model"]._meta.label_lower: each
        for app in apps
        for each in app["models"]
        if each["admin_url"]
    }
    groups = []
    for name, icons in GROUPS.items():
        links = [
            _link(label, icon, offered[label], path)
            for label, icon in icons.items()
            if label in offered
        ]
        if links:
            groups.append(MenuGroup(name, links))
    return groups


def _link(label: str, icon: str, model: Any, path: str) -> MenuLink:
    name = NAMES.get(label) or capfirst(str(model["name"]))
    url = model["admin_url"]
    return MenuLink(name, icon, url, path.startswith(url))


@dataclass(slots=True)
class MenuType:
    """A feedback type in the menu, with the number of its open tickets."""

    pk: int
    name: str
    open_count: Count


@dataclass(slots=True)
class MenuProject:
    pk: int
    name: str
    community: str
    types: list[MenuType] = field(default_factory=list)


def types_in_menu(user: Actor) -> list[MenuProject]:
    """The feedback types that somebody may see, by their projects."""
    counts = open_counts(FeedbackType.objects.visible_to(user, VIEW_TICKET))
    projects: dict[int, MenuProject] = {}
    types = FeedbackType.objects.visible_to(user).select_related("project__community")
    for each in types.order_by("project__community__name", "project__name", "name"):
        project = projects.setdefault(
            each.project_id,
            MenuProject(
                each.project_id, each.project.name, each.project.community.name
            ),
        )
        project.types.append(MenuType(each.pk, each.name, counts.get(each.pk, Count())))
    return list(projects.values())
