"""Who works in one project learns nothing of the community's others by filters."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback.access.roles import Role
from feedback.models import FeedbackType, Filter, Project
from tests import factories
from tests.api.callers import person

pytestmark = pytest.mark.django_db
SECRET = "Falcon, unannounced"
FILTERS = "/api/v1/filters/"
ADD = reverse("admin:feedback_filter_add")


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def other(bugs: FeedbackType) -> Project:
    return Project.objects.create(community=bugs.project.community, name=SECRET)


def asked(bugs: FeedbackType, other: Project) -> dict[str, Any]:
    condition = {"field": "project", "qualifier": "is", "value": other.pk}
    conditions = {"match": "all", "conditions": [condition]}
    return {
        "name": "Mine",
        "project": bugs.project_id,
        "subject_kind": "tester",
        "conditions": conditions,
    }


def test_a_program_is_offered_and_compares_only_what_its_person_sees(
    bugs: FeedbackType, other: Project
) -> None:
    body = asked(bugs, other)
    all_over = person(factories.member(bugs, Role.PROJECT_MANAGER, "all"))
    limited = person(
        factories.member(bugs, Role.PROJECT_MANAGER, "one", in_project=True)
    )
    empty = {**body, "conditions": {}}
    for client, is_offered in ((limited, False), (all_over, True)):
        fields = client.post(f"{FILTERS}fields/", empty, format="json")
        assert (SECRET in fields.content.decode()) == is_offered
        for path in ("preview/", ""):
            response = client.post(f"{FILTERS}{path}", body, format="json")
            assert (response.status_code < 300) == is_offered, response.json()
            assert is_offered or SECRET not in response.content.decode()


def test_a_page_offers_and_compares_only_what_its_person_sees(
    bugs: FeedbackType, other: Project, client: Client
) -> None:
    user = factories.member(bugs, Role.PROJECT_MANAGER, in_project=True)
    client.force_login(user)
    builder = reverse("admin:feedback_filter_new_builder")
    selects = f"project-{bugs.project_id}-tester"
    form = {
        "name": "Mine",
        "selects": selects,
        "conditions-match": "all",
        "conditions-0-group": 0,
        "conditions-0-field": "project",
        "conditions-0-qualifier": "is",
        "conditions-0-value": str(other.pk),
    }
    for asks in ("catalogue", "matches"):
        reply = client.post(builder, {**form, "do": asks})
        assert SECRET not in json.dumps(reply.json())
    refused = client.post(ADD, form)
    assert refused.status_code == 200 and not Filter.objects.exists()
    assert SECRET not in refused.content.decode()


def test_a_filter_of_somebody_who_sees_more_can_be_renamed(
    bugs: FeedbackType, other: Project
) -> None:
    body = asked(bugs, other)
    all_over = person(factories.member(bugs, Role.PROJECT_MANAGER, "all"))
    made = all_over.post(FILTERS, body, format="json").json()
    limited = person(
        factories.member(bugs, Role.PROJECT_MANAGER, "one", in_project=True)
    )
    url = f"{FILTERS}{made['id']}/"
    assert limited.patch(url, {"name": "Ours"}, format="json").status_code == 200
    assert Filter.objects.get().conditions["conditions"][0]["value"] == other.pk
