from __future__ import annotations

from collections.abc import Iterator

import django_rq
import pytest

from feedback.access.recent import recent
from feedback.models import FeedbackType
from macros import queue
from macros.listeners import door
from tests import factories
from tests.processes.conftest import wait_until


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    """No listener or caller of another test; each begins with its whole rate."""
    door.entrances.clear()
    door.rate.clear()
    recent.clear()
    yield
    # What was passed on must not wait for the next test.
    wait_until(lambda: not door.wake_ups._is_at_work)
    django_rq.get_queue(queue.QUEUE).empty()


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()
