"""The menu: what is registered in the admin, in groups that people think in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.text import capfirst

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
