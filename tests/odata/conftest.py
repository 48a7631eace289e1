from __future__ import annotations

import pytest

from feedback.models import FeedbackType
from tests import factories


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()
