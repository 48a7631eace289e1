from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from feedback.access.roles import Role
from feedback.models import FeedbackType
from tests import factories
from tests.api.callers import issue_key, person, program


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def caller(bugs: FeedbackType) -> APIClient:
    """A program with a key of the bugs' community."""
    return program(issue_key(bugs))


@pytest.fixture
def observer(bugs: FeedbackType) -> APIClient:
    return person(factories.member(bugs, Role.OBSERVER, "otto"))


@pytest.fixture
def support(bugs: FeedbackType) -> APIClient:
    return person(factories.member(bugs, Role.SUPPORT, "sam"))


@pytest.fixture
def stranger(bugs: FeedbackType) -> APIClient:
    """A program of another community."""
    return program(issue_key(factories.feedback_type("Ideas", "IDEA")))
