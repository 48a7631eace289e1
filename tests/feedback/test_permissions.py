"""Who may do what, written out, and the same asked about one row."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from feedback.access.actors import may, may_in_a_community
from feedback.access.keys import KeyActor
from feedback.access.roles import (
    ERASE_TESTER,
    EXPORT_TESTER,
    PERMISSIONS,
    READ_DATA,
    RUN_MACRO,
    Role,
)
from feedback.models import Feedback, FeedbackType, Project
from tests import factories

ACTIONS = {"v": "view", "a": "add", "c": "change", "d": "delete"}
# For the observer, support, the project's manager and the community's.
ROLES = (Role.OBSERVER, Role.SUPPORT, Role.PROJECT_MANAGER, Role.COMMUNITY_MANAGER)
RIGHTS = {
    "feedback.apikey": ("", "", "", "vacd"),
    "feedback.attachment": ("v", "vacd", "vacd", "vacd"),
    "feedback.comment": ("v", "vacd", "vacd", "vacd"),
    "feedback.commentedit": ("v", "v", "v", "v"),
    "feedback.community": ("v", "v", "v", "vc"),
    "feedback.datapackage": ("v", "v", "vacd", "vacd"),
    "feedback.externalsource": ("v", "v", "vacd", "vacd"),
    "feedback.feedback": ("v", "vac", "vacd", "vacd"),
    "feedback.feedbacktype": ("v", "v", "vacd", "vacd"),
    "feedback.filter": ("v", "v", "vacd", "vacd"),
    "feedback.formfield": ("v", "v", "vacd", "vacd"),
    "feedback.grant": ("", "", "", "vacd"),
    "feedback.importpart": ("", "va", "va", "va"),
    "feedback.keyuse": ("", "", "", "v"),
    "feedback.member": ("", "", "", "vacd"),
    "feedback.project": ("v", "v", "vc", "vacd"),
    "feedback.snapshot": ("v", "v", "v", "v"),
    "feedback.recordlookup": ("v", "v", "vacd", "vacd"),
    "feedback.status": ("v", "v", "vacd", "vacd"),
    "feedback.ticketimport": ("", "va", "va", "va"),
    "feedback.tester": ("v", "vc", "vc", "vacd"),
    "logs.attempt": ("v", "v", "v", "v"),
    "logs.auditentry": ("", "", "", "v"),
    "logs.delivery": ("v", "v", "v", "v"),
    "logs.destination": ("v", "v", "v", "vc"),
    "logs.run": ("v", "v", "v", "v"),
    "macros.inboundcall": ("v", "v", "v", "v"),
    "macros.inboundevent": ("v", "v", "v", "v"),
    "macros.inboundrefusal": ("v", "v", "v", "v"),
    "macros.listener": ("v", "v", "vacd", "vacd"),
    "macros.listeneraction": ("", "", "vacd", "vacd"),
    "macros.listenercheck": ("", "", "vacd", "vacd"),
    "macros.macro": ("v", "v", "vacd", "vacd"),
    "macros.macroversion": ("", "", "v", "v"),
    "macros.occurrence": ("v", "v", "v", "v"),
    "macros.schedule": ("v", "v", "vacd", "vacd"),
    "macros.secret": ("", "", "vacd", "vacd"),
    "macros.step": ("", "", "vacd", "vacd"),
    "macros.trigger": ("v", "v", "vacd", "vacd"),
    "macros.triggerdecision": ("v", "v", "v", "v"),
}
BEYOND_THE_FOUR_ACTIONS: dict[Role, set[str]] = {
    Role.OBSERVER: {*READ_DATA},
    Role.SUPPORT: {*READ_DATA, RUN_MACRO},
    Role.PROJECT_MANAGER: {*READ_DATA, RUN_MACRO},
    Role.COMMUNITY_MANAGER: {*READ_DATA, RUN_MACRO, EXPORT_TESTER, ERASE_TESTER},
}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_exactly_this(role: Role) -> None:
    expected = set(BEYOND_THE_FOUR_ACTIONS[role])
    for label, by_role in RIGHTS.items():
        app, model = label.split(".")
        letters = by_role[ROLES.index(role)]
        expected |= {f"{app}.{ACTIONS[letter]}_{model}" for letter in letters}
    assert PERMISSIONS[role] == expected


@pytest.fixture
def bugs() -> FeedbackType:
    made = factories.feedback_type()
    factories.ticket(made)
    return made


@pytest.mark.django_db
def test_djangos_question_about_a_row_is_answered_for_that_row(
    bugs: FeedbackType,
) -> None:
    sam, ticket = factories.member(bugs, Role.SUPPORT), Feedback.objects.get()
    others = factories.ticket(factories.feedback_type("Ideas", "IDEA"))
    assert sam.has_perm("feedback.change_feedback", ticket)
    assert not sam.has_perm("feedback.change_feedback", others)
    assert not sam.has_perm("feedback.delete_feedback", ticket)
    assert may(factories.superuser(), "feedback.delete_feedback", ticket)
    # No role reaches what belongs to no tenant.
    assert not sam.has_perm("feedback.view_feedback", sam)


@pytest.mark.django_db
def test_a_whole_community_takes_a_role_in_the_whole_of_it(bugs: FeedbackType) -> None:
    permission = "feedback.change_feedback"
    assert may_in_a_community(factories.member(bugs, Role.SUPPORT), permission)
    assert may_in_a_community(factories.superuser(), permission)
    assert not may_in_a_community(factories.member(bugs, Role.OBSERVER), permission)
    in_project = factories.member(bugs, Role.SUPPORT, in_project=True)
    assert not may_in_a_community(in_project, permission)
    former = User(username="fred", is_staff=True, is_superuser=True, is_active=False)
    assert not may_in_a_community(former, permission)


@pytest.mark.django_db
def test_only_a_key_of_the_whole_community_exports_people(bugs: FeedbackType) -> None:
    """What is stored of a person is the community's, whichever project they are in."""
    community = bugs.project.community
    project = Project.objects.get(community=community)
    whole = KeyActor(factories.api_key(community, scope_data=True)[0])
    narrow = KeyActor(factories.api_key(community, scope_data=True, project=project)[0])
    assert whole.has_perm(EXPORT_TESTER)
    assert not narrow.has_perm(EXPORT_TESTER)
    assert narrow.has_perm("feedback.view_tester")
