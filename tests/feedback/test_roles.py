"""Roles: who may do what, and where."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from feedback.access.actors import may
from feedback.access.roles import PERMISSIONS, RUN_MACRO, Role
from feedback.models import (
    ApiKey,
    Community,
    Feedback,
    FeedbackType,
    Grant,
    KeyUse,
    Member,
    Project,
)
from feedback.models import Tester as Person
from logs.models import Destination, Run
from macros.models import Macro, Secret
from macros.steps.kinds.web_request import WebRequest
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    made = factories.feedback_type()
    factories.one_of_everything(made)
    return made


def other_project(of: FeedbackType) -> FeedbackType:
    """A type in a second project of the same community, with a ticket."""
    community = of.project.community
    project = Project.objects.create(community=community, name="Watch Beta")
    made = FeedbackType.objects.create(project=project, name="Ideas", prefix="IDEA")
    factories.ticket(made, title="Idea", submitter=factories.tester(made))
    return made


def again(user: User) -> User:
    """The same person on the next request."""
    return User.objects.get(pk=user.pk)


def test_every_permission_of_a_role_exists() -> None:
    rows = Permission.objects.values_list("content_type__app_label", "codename")
    known = {f"{app}.{codename}" for app, codename in rows}
    assert frozenset().union(*PERMISSIONS.values()) - known == set()


def test_each_role_includes_those_below_it() -> None:
    observer, support, project, community = (
        PERMISSIONS[role]
        for role in (
            Role.OBSERVER,
            Role.SUPPORT,
            Role.PROJECT_MANAGER,
            Role.COMMUNITY_MANAGER,
        )
    )
    assert observer < support < project < community
    assert RUN_MACRO in support and RUN_MACRO not in observer


def test_a_member_of_one_community_sees_nothing_of_another(bugs: FeedbackType) -> None:
    mine = factories.feedback_type()
    factories.ticket(mine, title="Mine")
    mia = factories.member(mine, Role.COMMUNITY_MANAGER)
    assert [row.title for row in Feedback.objects.visible_to(mia)] == ["Mine"]
    assert list(Community.objects.visible_to(mia)) == [mine.project.community]
    for model in (Run, Macro, Secret, Destination, KeyUse):
        assert not model.objects.visible_to(mia).exists()
    assert list(ApiKey.objects.visible_to(mia)) == [
        mine.project.community.api_keys.get()
    ]


def test_a_role_in_a_project_does_not_reach_the_next_one(bugs: FeedbackType) -> None:
    ideas = other_project(bugs)
    pia = factories.member(ideas, Role.PROJECT_MANAGER, in_project=True)
    assert list(FeedbackType.objects.visible_to(pia)) == [ideas]
    assert list(Project.objects.visible_to(pia)) == [ideas.project]
    assert [row.title for row in Feedback.objects.visible_to(pia)] == ["Idea"]
    assert Person.objects.visible_to(pia).count() == 1
    assert not Run.objects.visible_to(pia).exists()
    assert not Secret.objects.visible_to(pia).exists()
    assert list(Community.objects.visible_to(pia)) == [ideas.project.community]
    assert not may(pia, "feedback.change_community", ideas.project.community)


def test_a_role_in_the_community_reaches_every_project_once(bugs: FeedbackType) -> None:
    other_project(bugs)
    sam = factories.member(bugs, Role.SUPPORT)
    assert FeedbackType.objects.visible_to(sam).count() == 2
    assert Feedback.objects.visible_to(sam).count() == 2
    assert Person.objects.visible_to(sam).count() == 2
    assert Community.objects.visible_to(sam).count() == 1


def test_a_person_can_hold_several_roles(bugs: FeedbackType) -> None:
    ideas = other_project(bugs)
    kim = factories.member(bugs, Role.OBSERVER, "kim", in_project=True)
    factories.member(ideas, Role.PROJECT_MANAGER, "kim", in_project=True)
    kim = again(kim)
    assert Feedback.objects.visible_to(kim).count() == 2
    writable = FeedbackType.objects.visible_to(kim, "macros.add_macro")
    assert list(writable) == [ideas]
    assert may(kim, "feedback.change_feedback", ideas.tickets.get())
    assert not may(kim, "feedback.change_feedback", bugs.tickets.get())
    assert may(kim, "feedback.view_feedback", bugs.tickets.get())


@pytest.mark.parametrize("role", list(Role))
def test_only_a_community_manager_sees_keys_and_members(
    bugs: FeedbackType, role: Role
) -> None:
    user = factories.member(bugs, role)
    manages = role == Role.COMMUNITY_MANAGER
    assert ApiKey.objects.visible_to(user).exists() is manages
    assert KeyUse.objects.visible_to(user).exists() is manages
    assert Member.objects.visible_to(user).exists() is manages
    assert user.has_perm("feedback.view_apikey") is manages


def test_a_role_that_is_taken_away_is_gone_with_the_next_request(
    bugs: FeedbackType,
) -> None:
    user = factories.member(bugs, Role.SUPPORT)
    assert Feedback.objects.visible_to(user).exists()
    Grant.objects.filter(member__user=user).delete()
    assert not Feedback.objects.visible_to(again(user)).exists()
    assert not again(user).has_perm(RUN_MACRO)


@pytest.mark.parametrize("change", [{"is_staff": False}, {"is_active": False}])
def test_a_role_is_worth_nothing_to_who_may_not_sign_in(
    bugs: FeedbackType, change: dict[str, bool]
) -> None:
    user = factories.member(bugs, Role.COMMUNITY_MANAGER)
    User.objects.filter(pk=user.pk).update(**change)
    assert not Feedback.objects.visible_to(again(user)).exists()
    assert not again(user).has_perm("feedback.view_feedback")


def test_djangos_own_permissions_show_no_row(bugs: FeedbackType) -> None:
    nora = User.objects.create_user("nora", is_staff=True)
    nora.user_permissions.set(Permission.objects.all())
    nora = again(nora)
    assert nora.has_perm("feedback.change_feedback")
    assert not Feedback.objects.visible_to(nora).exists()
    assert not may(nora, "feedback.change_feedback", bugs.tickets.get())


def test_a_role_that_makes_no_sense_is_refused(bugs: FeedbackType) -> None:
    member = Member.objects.first()
    assert member is not None
    stranger = factories.feedback_type().project
    manager = Grant(member=member, role=Role.COMMUNITY_MANAGER, project=bugs.project)
    with pytest.raises(ValidationError, match="never in one project"):
        manager.full_clean()
    with pytest.raises(ValidationError, match="of another community"):
        Grant(member=member, role=Role.SUPPORT, project=stranger).full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        member.grants.create(role=Role.OBSERVER)


@pytest.mark.parametrize(
    ("of", "field"),
    [
        ("feedback.project", "community"),
        ("feedback.feedbacktype", "project"),
        ("feedback.tester", "community"),
        ("macros.macro", "feedback_type"),
    ],
)
def test_nobody_moves_a_row_to_where_they_have_a_role_as_well(
    bugs: FeedbackType, client: Client, of: str, field: str
) -> None:
    """It would take tickets, runs and testers along to another tenant."""
    others = factories.feedback_type("Ideas", "IDEA")
    mia = factories.member(bugs, Role.COMMUNITY_MANAGER, "mia")
    factories.member(others, Role.COMMUNITY_MANAGER, "mia")
    client.force_login(mia)
    model = apps.get_model(of)
    row = model._default_manager.get(**{field: owner_of(bugs, field)})
    url = reverse(f"admin:{of.replace('.', '_')}_change", args=[row.pk])
    before = getattr(row, f"{field}_id")

    page = client.get(url)
    form = page.context["adminform"].form
    assert (field in form.fields) is (of == "macros.macro")
    data = {name: form[name].value() or "" for name in form.fields}
    for formset in page.context["inline_admin_formsets"]:
        management = formset.formset.management_form
        data |= {
            f"{management.prefix}-{n}": management[n].value() or 0
            for n in management.fields
        }
    client.post(url, data | {field: owner_of(others, field).pk})

    row.refresh_from_db()
    assert getattr(row, f"{field}_id") == before


def owner_of(of: FeedbackType, field: str) -> Any:
    return {
        "community": of.project.community,
        "project": of.project,
        "feedback_type": of,
    }[field]


@pytest.mark.parametrize("role", list(Role))
def test_only_who_manages_macros_sees_their_templates(
    bugs: FeedbackType, client: Client, role: Role
) -> None:
    """Somebody may have typed a credential into one; the log masks it."""
    request = WebRequest.objects.get()
    request.headers = "Authorization: Bearer typed-in-plain"
    request.save()
    client.force_login(factories.member(bugs, role))
    page = client.get(reverse("admin:macros_macro_change", args=[request.macro.pk]))
    assert page.status_code == 200
    manages = role in (Role.COMMUNITY_MANAGER, Role.PROJECT_MANAGER)
    assert ("typed-in-plain" in page.content.decode()) is manages
