from __future__ import annotations

import pytest

from feedback.access.recent import recent
from feedback.models import FeedbackType
from macros.listeners import door
from tests import factories


@pytest.fixture(autouse=True)
def nothing_known() -> None:
    """No listener or caller of another test; each begins with its whole rate."""
    door.entrances.clear()
    door.rate.clear()
    recent.clear()


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()
