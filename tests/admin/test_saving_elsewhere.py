"""A row that is put where its author has no such permission is not saved."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory
from django.urls import reverse

from feedback.access.roles import Role
from feedback.models import FeedbackType, Project
from logs.models import AuditEntry
from tests import factories

ADD = reverse("admin:feedback_project_add")


@pytest.fixture
def own(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def other(own: FeedbackType) -> FeedbackType:
    """In another community, where mia manages one project only."""
    return factories.feedback_type()


@pytest.fixture
def mia(own: FeedbackType, other: FeedbackType) -> User:
    factories.member(own, Role.COMMUNITY_MANAGER, "mia")
    return factories.member(other, Role.PROJECT_MANAGER, "mia", in_project=True)


def test_a_project_is_added_only_where_its_author_may(
    own: FeedbackType, other: FeedbackType, mia: User
) -> None:
    client = Client()
    client.force_login(mia)
    offered = client.get(ADD).content.decode()
    assert str(other.project.community) in offered, "the form refuses it already"
    data = {"name": "Mine", "community": other.project.community_id}
    data["time_zone"] = "UTC"
    assert client.post(ADD, data).status_code == 403
    assert not Project.objects.filter(name="Mine").exists()
    assert not AuditEntry.objects.filter(action="created").exists()
    data["community"] = own.project.community_id
    assert client.post(ADD, data).status_code == 302
    assert Project.objects.filter(name="Mine", community=data["community"]).exists()


def test_a_changed_row_must_be_where_its_author_may_change_it(
    own: FeedbackType, other: FeedbackType, mia: User
) -> None:
    """No form offers such a move today; the guard is there for the next one."""
    request = RequestFactory().post("/")
    request.user = mia
    pages = admin.site._registry[Project]
    own.project.name = "Renamed"
    pages.save_model(request, own.project, None, change=True)
    stranger = factories.feedback_type().project
    for project in (other.project, stranger):
        project.community = stranger.community
        with pytest.raises(PermissionDenied):
            pages.save_model(request, stranger, None, change=True)
