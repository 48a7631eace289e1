"""What the form of a row offers stays beside the row; a new one may go anywhere."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Model, QuerySet
from django.test import Client
from django.urls import reverse

from feedback.models import ApiKey, FeedbackType, Member, Project
from tests import factories


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def ideas(bugs: FeedbackType) -> FeedbackType:
    """A type in another project of the same community."""
    project = Project.objects.create(community=bugs.project.community, name="Tablet")
    return FeedbackType.objects.create(project=project, name="Idea", prefix="I")


@pytest.fixture
def far(bugs: FeedbackType) -> FeedbackType:
    """A type in another community."""
    return factories.feedback_type()


def opened(page: Client, model: type[Model], row: Model | None = None) -> Any:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    url = reverse(f"{name}_change", args=[row.pk]) if row else reverse(f"{name}_add")
    return page.get(url).context


def offered(form: Any, field: str) -> set[Model]:
    rows: QuerySet[Model] = form.fields[field].queryset
    return set(rows)


def test_a_key_is_limited_to_a_project_of_its_community(
    page: Client, bugs: FeedbackType, ideas: FeedbackType, far: FeedbackType
) -> None:
    key = ApiKey.objects.get(community=bugs.project.community)
    form = opened(page, ApiKey, key)["adminform"].form
    assert offered(form, "project") == {bugs.project, ideas.project}
    form = opened(page, ApiKey)["adminform"].form
    assert offered(form, "project") == {bugs.project, ideas.project, far.project}


def test_a_role_is_in_a_project_of_its_members_community(
    page: Client, bugs: FeedbackType, ideas: FeedbackType, far: FeedbackType
) -> None:
    factories.member(bugs, "support", "sue")
    member = Member.objects.get(user__username="sue")
    [grants] = opened(page, Member, member)["inline_admin_formsets"]
    form = grants.formset.empty_form
    assert offered(form, "project") == {bugs.project, ideas.project}
    [grants] = opened(page, Member)["inline_admin_formsets"]
    assert far.project in offered(grants.formset.empty_form, "project")


def test_a_macro_moves_to_another_type_of_its_project_only(
    page: Client, bugs: FeedbackType, ideas: FeedbackType, far: FeedbackType
) -> None:
    beside = FeedbackType.objects.create(project=bugs.project, name="Q", prefix="Q")
    macro = factories.macro(bugs, "https://example.com/")
    form = opened(page, type(macro), macro)["adminform"].form
    assert offered(form, "feedback_type") == {bugs, beside}
    form = opened(page, type(macro))["adminform"].form
    assert offered(form, "feedback_type") == {bugs, beside, ideas, far}
