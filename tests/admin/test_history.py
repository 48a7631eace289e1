"""The history of an object: whoever sees the object, with values before and after."""

from __future__ import annotations

from copy import copy
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback.access.keys import KeyActor
from feedback.access.roles import Role
from feedback.models import FeedbackType
from logs import audit
from logs.admin import history
from logs.models import Action, AuditEntry
from macros.models import Macro
from tests import factories

pytestmark = pytest.mark.django_db

STEP = "web request POST: url"


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def macro(bugs: FeedbackType) -> Macro:
    made = factories.macro(bugs, name="Post")
    audit.record(
        Action.CHANGED,
        made,
        actor="sam",
        changes={"is_active": [True, False], STEP: ["https://old", "https://new"]},
    )
    return made


def history_of(row: Any, user: Any) -> Any:
    client = Client()
    client.force_login(user)
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_history"
    return client.get(reverse(name, args=[row.pk]), follow=True)


def test_values_are_told_before_and_after(
    bugs: FeedbackType, page: Client, olivia: Any
) -> None:
    ticket = factories.ticket(bugs, title="Old")
    before, after = bugs.statuses.order_by("pk")[:2]
    old, new = copy(ticket), copy(ticket)
    old.status, new.status, new.title = before, after, "New"
    audit.record_change(old, new, actor="sam")

    html = history_of(ticket, olivia).content.decode()

    row = f"<tr><td>Status</td><td>{before.name}</td><td>{after.name}</td></tr>"
    assert row in html
    assert "Old" not in html.split("<ol", 1)[1], "a title is a person's own words"
    listed = page.get(reverse("admin:logs_auditentry_changelist")).content.decode()
    assert f"Status: {before.name} → {after.name}" in listed


@pytest.mark.parametrize("role", [Role.OBSERVER, Role.SUPPORT])
def test_who_may_only_look_reads_no_values_of_the_rows_below(
    bugs: FeedbackType, macro: Macro, role: Role
) -> None:
    html = history_of(macro, factories.member(bugs, role)).content.decode()
    assert "<tr><td>Is active</td><td>yes</td><td>no</td></tr>" in html
    assert "<td>-</td><td>changed</td>" in html
    assert "https://old" not in html and "https://new" not in html


@pytest.mark.parametrize("role", [Role.PROJECT_MANAGER, Role.COMMUNITY_MANAGER])
def test_who_may_change_the_object_reads_all_of_it(
    bugs: FeedbackType, macro: Macro, role: Role
) -> None:
    html = history_of(macro, factories.member(bugs, role)).content.decode()
    assert "<td>https://old</td><td>https://new</td>" in html


def test_nobody_else_sees_it_by_its_address(macro: Macro) -> None:
    other = factories.member(factories.feedback_type(), Role.COMMUNITY_MANAGER)
    client = Client()
    client.force_login(other)
    for label, pk, status in (
        ("macros.macro", macro.pk, 404),
        ("macros.macro", 0, 404),
        ("auth.user", other.pk, 403),
        ("logs.attempt", 1, 404),
        ("rubbish", 1, 404),
    ):
        url = reverse("admin:logs_auditentry_about", args=[label, pk])
        assert client.get(url).status_code in (status, 404), label


def test_neither_addresses_nor_parts_of_keys_are_shown(
    bugs: FeedbackType, macro: Macro
) -> None:
    audit.record(Action.PAUSED, macro, actor="kim", detail="By hand.")
    key, _ = factories.api_key(bugs.project.community, name="Robot")
    audit.record(Action.RESUMED, macro, actor=KeyActor(key))
    html = history_of(macro, factories.member(bugs, Role.OBSERVER)).content.decode()
    assert "by kim" in html and "By hand." in html
    assert "by API key Robot" in html and key.prefix not in html
    assert "127.0.0.1" not in html


def test_a_long_history_has_pages(
    macro: Macro, olivia: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "MAX_LISTED", 2)
    for number in range(4):
        audit.record(Action.PAUSED, macro, actor="kim", detail=f"No. {number}.")
    first = history_of(macro, olivia)
    assert [each.detail for each in first.context["events"]] == ["No. 3.", "No. 2."]
    client = Client()
    client.force_login(olivia)
    url = reverse("admin:logs_auditentry_about", args=["macros.macro", macro.pk])
    second = client.get(f"{url}?before={first.context['older']}")
    assert [each.detail for each in second.context["events"]] == ["No. 1.", "No. 0."]
    assert client.get(f"{url}?before=x").status_code == 200


def test_an_override_of_direction_in_a_value_is_named(
    macro: Macro, olivia: Any
) -> None:
    changes = {"name": ["safe", "\u202eevil<b>"]}
    audit.record(Action.CHANGED, macro, actor="sam", changes=changes)
    html = history_of(macro, olivia).content.decode()
    assert "\u202e" not in html and "right-to-left override" in html
    assert "evil&lt;b&gt;" in html


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("2026-11-26 15:10:36.610475+00:00", "26 Nov 2026, 15:10:36"),
        ("2026-11-26T15:10:36Z", "26 Nov 2026, 15:10:36"),
        ("2026-13-99 99:99:99+00:00", "2026-13-99 99:99:99+00:00"),
        ("2026-11-26 15:10", "2026-11-26 15:10"),
        (True, "yes"),
        (0, "0"),
        (None, ""),
    ],
)
def test_values_read_like_everywhere(value: object, shown: str) -> None:
    entry = AuditEntry(changes={"some_field": ["", value]})
    assert history.changes_in_words(entry) == [("Some field", "", shown)]
