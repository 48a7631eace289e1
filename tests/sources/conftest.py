from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from feedback.models import ExternalSource, FeedbackType
from tests import factories
from tests.api.callers import issue_key, program

Send = Callable[..., Any]


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def source(bugs: FeedbackType) -> ExternalSource:
    """With a default status and a default submitter."""
    return factories.source(
        bugs,
        name="Crash reports",
        default_status=bugs.statuses.get(name="New"),
        default_submitter=factories.tester(bugs, "app@example.com"),
    )


@pytest.fixture
def caller(bugs: FeedbackType) -> APIClient:
    return program(issue_key(bugs, scope_run=False, scope_listener=True))


@pytest.fixture
def send(caller: APIClient, source: ExternalSource) -> Send:
    """Post members to the source."""

    def send(body: Any, **options: Any) -> Any:
        return caller.post(f"/sources/{source.key}/", body, **options)

    return send
