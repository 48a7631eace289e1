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


TEXTS = st.text(
    st.characters(exclude_categories=["C", "Z"], exclude_characters="()"),
    min_size=1,
    max_size=40,
)
NAMES = st.from_regex(r"[a-z][a-z_]{0,20}[a-z]", fullmatch=True)
VALUES = {
    ActionKind.COMMENT: TEXTS,
    ActionKind.STATUS: st.just("((Payload: $.status))"),
    ActionKind.EXTERNAL: TEXTS,
    ActionKind.VISIBILITY: st.sampled_from(["public", "private"]),
    ActionKind.SCORE: st.sampled_from(["-9", "1", "5"]),
}
ACTIONS = st.one_of(
    st.fixed_dictionaries(
        {
            "kind": st.just(kind.value),
            "name": NAMES if kind == ActionKind.EXTERNAL else st.just(""),
            "value": values,
            "value_map": NAMES.map(lambda name: f"{name} -> Closed")
            if kind == ActionKind.STATUS
            else st.just(""),
        }
    )
    for kind, values in VALUES.items()
)
LISTENERS = st.fixed_dictionaries(
    {
        "name": TEXTS,
        "description": TEXTS,
        "payload_format": st.sampled_from(PayloadFormat.values),
        "record_by": st.sampled_from([RecordBy.ID, RecordBy.EXTERNAL]),
        "record_external": NAMES,
        "record_at": NAMES.map(lambda name: f"$.{name}"),
        "name_at": st.just("header: X-Event"),
        "names": TEXTS,
        "response_type": st.just("text/plain"),
        "response_body": TEXTS,
        "repeat_seconds": st.integers(0, 10**6),
        "allowed_ips": st.just("203.0.113.7"),
    }
)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    LISTENERS,
    st.lists(ACTIONS, min_size=1, max_size=4),
    st.sampled_from(["json", "yaml"]),
)
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
