"""Whatever stands in the body of what tickets belong to, and they to it: no fault."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedback.models import ExternalSource, FeedbackType
from tests import factories
from tests.api.callers import issue_key, program
from tests.api.test_anything import is_answered_or_refused, json_values, names

pytestmark = pytest.mark.sweep

examples = settings(
    max_examples=80,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
numbers = st.sampled_from([0, -1, 1, 2, True, "1", 2**31, 2**63, 10**40, 1.5])
values = json_values | numbers
parts = st.lists(
    values
    | st.dictionaries(
        st.sampled_from(
            [
                *("id", "name", "is_open", "colour", "key", "label", "kind"),
                *("required", "choices", "help_text", "in_list"),
            ]
        ),
        values | st.lists(values, max_size=2),
        max_size=4,
    ),
    max_size=3,
)
MEMBERS = {
    "communities": ["name", "alert_emails", "tester_columns"],
    "projects": ["community", "name", "description", "is_template", "time_zone"],
    "types": [
        *("project", "name", "prefix", "external_columns", "statuses", "questions"),
        "remove_used",
    ],
    "sources": [
        *("type", "name", "description", "is_active", "default_status"),
        *("default_submitter", "makes_testers"),
    ],
    "comments": ["feedback", "text"],
    "testers": ["email", "city", "country", "score", "community", "external_data"],
}


def fine(room: str, of: FeedbackType) -> dict[str, object]:
    """What makes a row, so that single members are looked at."""
    return {
        "communities": {},
        "projects": {"name": "A"},
        "types": {"project": of.project_id, "name": "A", "prefix": "A"},
        "sources": {"type": of.pk, "name": "A"},
        "comments": {"feedback": of.tickets.order_by("pk")[0].pk, "text": "A"},
        "testers": {"email": "ada@example.com"},
    }[room]


@pytest.mark.parametrize("room", MEMBERS)
@examples
@given(data=st.data())
def test_any_body_of_a_row(bugs: FeedbackType, room: str, data: st.DataObject) -> None:
    if not bugs.tickets.exists():
        tester = factories.tester(bugs)
        ticket = factories.ticket(bugs, submitter=tester)
        ticket.comments.create(text="x")
        ExternalSource.objects.create(feedback_type=bugs, name="Form")
    number = bugs.project.community.api_keys.count()
    key = issue_key(bugs, f"Key {number} more", scope_write=True, scope_manage=True)
    caller = program(key)
    member = st.sampled_from(MEMBERS[room]) | names
    drawn = st.dictionaries(member, values | parts, max_size=3)
    body = data.draw(
        st.builds(lambda more: fine(room, bugs) | more, drawn) | drawn | json_values
    )
    url = f"/api/v1/{room}/"
    sent = json.dumps(body)
    if room != "communities":
        response = caller.post(url, sent, content_type="application/json")
        is_answered_or_refused(response)
    pk = caller.get(url).json()["results"][-1]["id"]
    changed = json.dumps(data.draw(drawn | json_values))
    response = caller.patch(f"{url}{pk}/", changed, content_type="application/json")
    is_answered_or_refused(response)
