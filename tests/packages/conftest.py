from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from feedback.models import FeedbackType
from tests import factories
from tests.api.callers import issue_key, program


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def token(bugs: FeedbackType) -> str:
    return issue_key(bugs, "BI", scope_read=False, scope_run=False, scope_data=True)


@pytest.fixture
def reader(token: str) -> APIClient:
    return program(token)
