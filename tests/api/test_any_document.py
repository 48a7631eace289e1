"""Whatever stands in the body of a macro, trigger, schedule or listener: no fault."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from feedback.models import FeedbackType
from macros.models import Macro, step_kinds
from tests import factories
from tests.api.callers import issue_key, program
from tests.api.test_anything import is_answered_or_refused, json_values, names

pytestmark = pytest.mark.sweep

examples = settings(
    max_examples=60,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

numbers = st.sampled_from([0, -1, 1, 2, True, "1", 2**31, 2**63, 10**40, 1.5])
templates = st.sampled_from(
    [
        *("((Title))", "((Nope))", "((", "((Secret: token))", "https://a.example/x"),
        *("{", '{"a": ((Title))}', "$.a[", "$.a", "header: x", "-> x", "* -> New"),
        *("09:30", "2026-11-23T09:30:00Z", "2026-11-23T09:30", "0 9 * * *", "8,9"),
    ]
)
values = json_values | numbers | templates
MEMBERS = {
    "macros": {
        *("name", "type", "project", "community", "is_active", "retry_ladder"),
        *("give_up_after", "description", "steps"),
    },
    "triggers": {
        *("name", "macro", "filter", "event", "event_details", "limit", "is_active"),
    },
    "schedules": {
        *("name", "macro", "filter", "rate", "every", "at", "weekdays", "month_day"),
        *("cron", "time_zone", "start_at", "end_at", "missed", "only_changed"),
    },
    "listeners": {
        *("name", "type", "community", "subject_kind", "filter", "record_by"),
        *("record_at", "events_at", "names", "name_at", "repeat_seconds", "checks"),
        *("actions", "response_body", "response_status", "allowed_ips", "time_at"),
    },
}
# A part: a step, a check, an action; and what an event may have.
PARTS = [
    *(
        "kind",
        "url",
        "headers",
        "body",
        "body_kind",
        "return_values",
        "status",
        "field",
    ),
    *("token_parameters", "points", "to", "subject", "scheme", "secret", "api_key"),
    *("macro", "name", "value", "value_map", "from_status", "to_status", "score"),
    *("external", "is_active", "wait_when", "auth_secret"),
]
choices = st.sampled_from(
    [
        *("tester", "feedback", "weekly", "cron", "once", "monthly", "submitted"),
        *("status_changed", "field_changed", "score_crossed", "external", "create"),
        *("run", "comment", "api_key", "github", "hmac", "Europe/Berlin"),
    ]
)


@st.composite
def documents(draw: st.DrawFn, room: str) -> dict[str, object]:
    """A body that is nearly right."""
    kinds = st.sampled_from([*step_kinds()])
    part = st.dictionaries(
        st.sampled_from(PARTS) | names, values | choices | kinds, max_size=4
    )
    value = values | choices | part | st.lists(part, max_size=2)
    known = st.sampled_from(sorted(MEMBERS[room]))
    body: dict[str, object] = draw(
        st.dictionaries(known | names, value, min_size=1, max_size=6)
    )
    for name in ("type", "macro", "name"):
        if name in MEMBERS[room] and draw(st.booleans()):
            body[name] = {"name": "New"}.get(name, draw(st.sampled_from([1, 2])))
    return body


@pytest.fixture
def builder(bugs: FeedbackType) -> APIClient:
    return program(issue_key(bugs, scope_manage=True))


@pytest.fixture
def macro(bugs: FeedbackType) -> Macro:
    return factories.macro(bugs, "https://example.com/")


@pytest.mark.parametrize("room", MEMBERS)
@examples
@given(data=st.data())
def test_any_document(
    builder: APIClient, macro: Macro, room: str, data: st.DataObject
) -> None:
    row = row_of(room, macro)
    body = json.dumps(data.draw(documents(room)))
    for send, url in (
        (builder.post, f"/api/v1/{room}/"),
        (builder.post, "/api/v1/macros/validate/"),
        (builder.patch, f"/api/v1/{room}/{row}/"),
    ):
        is_answered_or_refused(send(url, body, content_type="application/json"))


def row_of(room: str, macro: Macro) -> int:
    """Made for the first example."""
    if room == "macros":
        return macro.pk
    rows = {"triggers": macro.triggers, "schedules": macro.schedules}
    of = macro.feedback_type
    assert of is not None
    made = of.listeners.first() if room == "listeners" else rows[room].first()
    if made is None and room == "listeners":
        made = factories.listener(of)
    elif made is None:
        make = factories.trigger if room == "triggers" else factories.schedule
        made = make(macro)
    return int(made.pk)


@pytest.mark.parametrize("act", ["macros/test", "macros/preview", "triggers/try"])
@examples
@given(data=st.data())
def test_any_trial(
    bugs: FeedbackType, builder: APIClient, macro: Macro, act: str, data: st.DataObject
) -> None:
    room, _, verb = act.partition("/")
    ticket = bugs.tickets.first() or factories.ticket(bugs)
    known = st.sampled_from(["subject", "step", "to", "store"]) | names
    body = data.draw(st.dictionaries(known, values, max_size=3))
    if data.draw(st.booleans()):
        body["subject"] = ticket.pk
    url = f"/api/v1/{room}/{row_of(room, macro)}/{verb}/"
    response = builder.post(url, json.dumps(body), content_type="application/json")
    is_answered_or_refused(response)


@examples
@given(data=st.data())
def test_anything_that_a_preset_is_given(
    bugs: FeedbackType, builder: APIClient, data: st.DataObject
) -> None:
    filled_in = st.dictionaries(st.sampled_from(["site", "jira_token"]) | names, values)
    secret = st.dictionaries(st.sampled_from(["name", "value"]) | names, values)
    secrets = st.dictionaries(st.sampled_from(["jira_token"]) | names, secret | values)
    body = data.draw(
        st.fixed_dictionaries(
            {"preset": st.sampled_from(["jira-create", "any-xml"]) | values},
            optional={
                "type": st.just(bugs.pk) | values,
                "project": values,
                "community": values,
                "name": values,
                "settings": filled_in | values,
                "secrets": secrets | values,
                "keep_in": values,
            },
        )
    )
    text = json.dumps(body)
    url = "/api/v1/macros/from-preset/"
    is_answered_or_refused(builder.post(url, text, content_type="application/json"))


@examples
@given(data=st.data())
def test_any_replay(
    bugs: FeedbackType, builder: APIClient, data: st.DataObject
) -> None:
    body = data.draw(st.dictionaries(st.just("ids") | names, values, max_size=2))
    response = builder.post(
        "/api/v1/calls/replay/", json.dumps(body), content_type="application/json"
    )
    is_answered_or_refused(response)
