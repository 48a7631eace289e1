"""Who is made a member, and what is learnt from trying."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse

from feedback.access.roles import Role
from feedback.models import FeedbackType, Member
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def page(bugs: FeedbackType, client: Client) -> Client:
    client.force_login(factories.member(bugs, Role.COMMUNITY_MANAGER, "carl"))
    return client


def add(page: Client, bugs: FeedbackType, person: str) -> Any:
    counts = {"grants-TOTAL_FORMS": "0", "grants-INITIAL_FORMS": "0"}
    form = {"community": bugs.project.community_id, "person": person, **counts}
    return page.post(reverse("admin:feedback_member_add"), form)


def test_a_member_is_named_by_the_user_name(page: Client, bugs: FeedbackType) -> None:
    nora = User.objects.create_user("nora", "nora@example.com")
    assert add(page, bugs, "nora").status_code == 302
    assert Member.objects.filter(user=nora).exists()


def test_an_address_does_not_say_whether_it_has_an_account(
    page: Client, bugs: FeedbackType
) -> None:
    User.objects.create_user("nora", "nora@example.com")
    User.objects.create_user("norb", "Twice@example.com")
    User.objects.create_user("norc", "twice@example.com")
    User.objects.create_user("named@example.com")
    shown = []
    for name in ("nora", "twice", "named", "nobody"):
        response = add(page, bugs, f"{name}@example.com")
        shown.append((response.status_code, response.context["errors"]))
    problem = (
        "Give the user name, not an e-mail address. Whose user name is an address is"
        " added by whoever runs this server."
    )
    assert shown == [(200, [[problem]])] * 4
    assert Member.objects.count() == 1


def test_a_superuser_adds_whose_user_name_is_an_address(
    bugs: FeedbackType, client: Client
) -> None:
    client.force_login(factories.superuser())
    User.objects.create_user("named@example.com")
    assert add(client, bugs, "named@example.com").status_code == 302


def test_no_row_has_a_page_outside_of_the_admin(client: Client) -> None:
    client.force_login(factories.superuser())
    factories.one_of_everything(factories.feedback_type())
    client.raise_request_exception = True
    kinds = [kind.pk for kind in ContentType.objects.all()]
    for kind in (*kinds, 0, "9" * 30, "x"):
        for row in (1, "9" * 30, "x", "%00"):
            assert client.get(f"/admin/r/{kind}/{row}/").status_code == 404
