"""Whatever a listener is set up as, a file says it, and is read as it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedback.models import FeedbackType, Project
from macros import config
from macros.models import (
    ActionKind,
    Listener,
    ListenerAction,
    PayloadFormat,
    RecordBy,
)
from tests import factories
from tests.macros.ways_in import without_switches

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


TEXTS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=40)
ACTIONS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from([k for k in ActionKind.values if k != "run"]),
        "name": TEXTS,
        "value": TEXTS,
        "value_map": TEXTS.map(lambda text: f"{text} -> Closed"),
    }
)
LISTENERS = st.fixed_dictionaries(
    {
        "name": TEXTS,
        "description": TEXTS,
        "payload_format": st.sampled_from(PayloadFormat.values),
        "record_by": st.sampled_from(RecordBy.values),
        "record_external": TEXTS,
        "names": TEXTS,
        "response_body": TEXTS,
        "repeat_seconds": st.integers(0, 10**6),
    }
)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(LISTENERS, st.lists(ACTIONS, max_size=4), st.sampled_from(["json", "yaml"]))
def test_a_file_says_of_a_listener_what_it_was_made_of(
    bugs: FeedbackType, values: dict[str, Any], actions: list[Any], form: str
) -> None:
    Listener.objects.all().delete()
    made = Listener(feedback_type=bugs, **values)
    config.save_listener(made, [], [ListenerAction(**each) for each in actions], None)
    document = config.export_project(bugs.project)
    project, _ = Project.objects.get_or_create(
        community=bugs.project.community, name="Another"
    )
    project.feedback_types.all().delete()
    config.import_document(config.read(config.write(document, form)), project)
    again = config.export_project(project)
    assert without_switches(again) == without_switches(document)
