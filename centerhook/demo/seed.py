"""The community "Northwind Beta": made once, then kept."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from axes.utils import reset
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from centerhook.sign_in import second_factor
from feedback.models import (
    ApiKey,
    Comment,
    Community,
    Feedback,
    FeedbackType,
    FormField,
    Project,
    Status,
    Tester,
)
from macros.models import Listener, Macro

from . import content, forms, words
from .automations import ensure_automations
from .errors import DemoError
from .listener import ensure_listener
from .macros import DEFINITIONS, POST_TO_SLACK, TESTER_DEFINITIONS, ensure_macros

USERNAME = "demo"


@dataclass(frozen=True)
class Demo:
    """The feedback type and macro that the demo performs, and who it signs in as."""

    feedback_type: FeedbackType
    macro: Macro
    username: str
    password: str
    # What hears the receiver; None where somebody has deleted it.
    listener: Listener | None


@transaction.atomic
def seed(receiver: str) -> Demo:
    """Makes what the demo lacks of its data; its macros send to `receiver`."""
    password = _password()
    user = _user(password)
    columns = {"tester_columns": "address_valid"}
    community, created = Community.objects.get_or_create(
        name="Northwind Beta", defaults=columns
    )
    if created:
        _fill(community, user)
    _unlock(community)
    types = FeedbackType.objects.filter(project__community=community, prefix="BUG")
    bug_types = list(types.order_by("project_id"))
    if not bug_types:
        raise DemoError(
            f"The community {community} has no feedback type BUG any more."
            " Delete the community in the admin, and start the demo again."
        )
    for bug_type in bug_types:
        ensure_macros(bug_type, DEFINITIONS, receiver)
    ensure_automations(bug_types[0])
    ensure_macros(community, TESTER_DEFINITIONS, receiver)
    macro = Macro.objects.get(feedback_type=bug_types[0], name=POST_TO_SLACK)
    listener = ensure_listener(community)
    return Demo(bug_types[0], macro, USERNAME, password, listener)


def _password() -> str:
    """Random, since this user may outlive the demo; kept, so that it stays the same."""
    path = settings.VAR_DIR / "demo-password"
    if not path.exists():
        settings.VAR_DIR.mkdir(exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(9))
    return str(path.read_text())


def _user(password: str) -> User:
    user, _ = User.objects.get_or_create(
        username=USERNAME,
        defaults={"first_name": "Dana", "last_name": "Demo", "email": "demo@localhost"},
    )
    if not (user.is_superuser and user.is_active and user.check_password(password)):
        user.is_superuser = user.is_staff = user.is_active = True
        user.set_password(password)
        user.save()
    # The demo signs in by itself, whatever somebody tried at its last start.
    second_factor.remove(user)
    reset(username=USERNAME)
    return user


def _unlock(community: Community) -> None:
    """Web requests need a valid API key; nobody learns the token of this one."""
    key = community.api_keys.filter(name="Demo").first()
    if key is None:
        key = ApiKey(community=community, name="Demo", scope_read=False)
        key.description = "Unlocks web requests. Make a new token to use it."
        key.issue_token()
    key.is_enabled, key.expires_at = True, None
    key.save()


def _fill(community: Community, user: User) -> None:
    Tester.objects.bulk_create(content.testers(community))
    people = list(community.testers.all())
    trails = Project.objects.create(
        community=community,
        name="Northwind Trails 5",
        description="Maps and routes for hikers, on phone, watch and web.",
    )
    station = Project.objects.create(
        community=community,
        name="Northwind Weather Station",
        description="A sensor, a display and a dashboard for the garden.",
    )
    _fill_project(trails, words.TRAILS, people, bugs=170, ideas=80)
    _fill_project(station, words.STATION, people, bugs=110, ideas=60)
    _comment(community, user)


def _fill_project(
    project: Project,
    features: Sequence[str],
    people: Sequence[Tester],
    *,
    bugs: int,
    ideas: int,
) -> None:
    now = timezone.now()
    bug_type = FeedbackType.objects.create(
        project=project, name="Bug Report", prefix="BUG"
    )
    statuses = _shape(bug_type, forms.BUG_STATUSES, forms.BUG_FIELDS)
    bug_reports = content.bugs(features, bugs, statuses, people, now)
    Feedback.objects.submit_many(bug_type, bug_reports)
    idea_type = FeedbackType.objects.create(project=project, name="Idea", prefix="IDEA")
    statuses = _shape(idea_type, forms.IDEA_STATUSES, forms.IDEA_FIELDS)
    wishes = content.ideas(features, ideas, statuses, people, now)
    Feedback.objects.submit_many(idea_type, wishes)
    # `auto_now` has set the present moment.
    tickets = Feedback.objects.filter(feedback_type__in=[bug_type, idea_type])
    tickets.update(modified_at=F("created_at") + timedelta(hours=5))


def _shape(
    feedback_type: FeedbackType,
    statuses: Sequence[tuple[str, str, bool, int]],
    fields: Sequence[dict[str, Any]],
) -> list[Status]:
    for position, field in enumerate(fields, start=1):
        question = FormField(feedback_type=feedback_type, position=position, **field)
        question.full_clean()
        question.save()
    return [
        Status.objects.create(
            feedback_type=feedback_type,
            name=name,
            colour=colour,
            is_open=is_open,
            position=position,
        )
        for position, (name, colour, is_open, _) in enumerate(statuses, start=1)
    ]


def _comment(community: Community, user: User) -> None:
    tickets = Feedback.objects.filter(feedback_type__project__community=community)
    for number, ticket in enumerate(tickets.order_by("pk")[::4]):
        text = words.COMMENTS[number % len(words.COMMENTS)]
        Comment.objects.create(feedback=ticket, author=user, text=text)
