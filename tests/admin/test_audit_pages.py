"""The audit log in the admin: read, filtered and exported."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback.access.roles import Role
from feedback.console import paging
from feedback.models import FeedbackType
from logs import audit
from logs.models import Action, AuditEntry
from macros.models import Macro
from tests import factories

pytestmark = pytest.mark.django_db
LIST = reverse("admin:logs_auditentry_changelist")


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def macro(bugs: FeedbackType) -> Macro:
    made = factories.macro(bugs, name="=Post")
    audit.record(
        Action.CHANGED,
        made,
        actor="sam",
        changes={"retry_ladder": ["5 s", "<b>1 d</b>"], "name": ["=A", "=Post"]},
    )
    audit.record(Action.PAUSED, made, actor="kim", detail="kim paused it.")
    audit.record(Action.CHANGED, bugs, actor="sam")
    return made


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def listed(page: Client, **query: str) -> list[str]:
    response = page.get(LIST, query)
    assert response.status_code == 200
    rows = response.context["cl"].result_list
    return [f"{row.actor_name} {row.action} {row.object_type}" for row in rows]


def exported(page: Client, form: str, query: str = "") -> str:
    response = page.post(reverse("admin:logs_auditentry_export", args=[form]) + query)
    assert response.status_code == 200 and response.streaming
    assert f".{form}" in response["Content-Disposition"]
    return b"".join(response.streaming_content).decode()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"action__exact": "paused"}, ["kim paused macros.macro"]),
        (
            {"object_type": "feedback.feedbacktype"},
            ["sam changed feedback.feedbacktype"],
        ),
        ({"who": "KIM"}, ["kim paused macros.macro"]),
        ({"q": "=post", "who": "sam"}, ["sam changed macros.macro"]),
        ({"q": "paused it"}, ["kim paused macros.macro"]),
        ({"object": "macros.macro-x"}, []),
        ({"object": "macros.macro-9999999999999999999999"}, []),
    ],
)
def test_it_is_filtered_and_searched(
    page: Client, macro: Macro, query: dict[str, str], expected: list[str]
) -> None:
    assert listed(page, **query) == expected


def test_a_rows_history_is_what_is_told_of_it(page: Client, macro: Macro) -> None:
    history = reverse("admin:macros_macro_history", args=[macro.pk])
    form = page.get(reverse("admin:macros_macro_change", args=[macro.pk]))
    assert f'href="{history}"' in form.content.decode()
    shown = page.get(history, follow=True)
    assert [event.action for event in shown.context["events"]] == ["Paused", "Changed"]
    assert page.get(reverse("admin:macros_macro_history", args=[0])).status_code == 404


def test_an_entry_reads_well_and_shows_no_markup(page: Client, macro: Macro) -> None:
    entry = AuditEntry.objects.get(object_name="=Post", action="changed")
    url = reverse("admin:logs_auditentry_change", args=[entry.pk])
    html = page.get(url).content.decode()
    for words in (
        "<td>Retry ladder</td><td>5 s</td><td>&lt;b&gt;1 d&lt;/b&gt;</td>",
        "<dt>Who</dt><dd>sam</dd>",
        f'<a href="{reverse("admin:macros_macro_change", args=[macro.pk])}">=Post</a>',
        f"{macro.feedback_type.project.community.name}, project Phone Beta",
    ):
        assert words in html


def test_the_page_stays_when_all_it_names_is_gone(page: Client, macro: Macro) -> None:
    entry = AuditEntry.objects.get(action="paused")
    macro.feedback_type.project.community.delete()
    shown = page.get(reverse("admin:logs_auditentry_change", args=[entry.pk]))
    assert "kim paused it." in shown.content.decode()
    assert "kim paused macros.macro" in listed(page)


def test_no_page_adds_changes_or_deletes(page: Client, macro: Macro) -> None:
    before = list(AuditEntry.objects.values())
    entry = AuditEntry.objects.earliest("pk")
    data = {"post": "yes", "detail": "Never happened.", "action": "delete_selected"}
    data |= {"_selected_action": str(entry.pk)}
    for url in (
        LIST,
        reverse("admin:logs_auditentry_add"),
        reverse("admin:logs_auditentry_change", args=[entry.pk]),
        reverse("admin:logs_auditentry_delete", args=[entry.pk]),
    ):
        page.post(url, data)
    assert list(AuditEntry.objects.values()) == before
    assert page.get(LIST).context["cl"].formset is None
    assert "delete_selected" not in page.get(LIST).content.decode()


def test_only_a_community_manager_gets_any_page(
    bugs: FeedbackType, macro: Macro
) -> None:
    entry = AuditEntry.objects.get(action="paused")
    urls = [LIST, reverse("admin:logs_auditentry_change", args=[entry.pk])]
    export = reverse("admin:logs_auditentry_export", args=["csv"])
    history = reverse("admin:macros_macro_history", args=[macro.pk])
    form = reverse("admin:macros_macro_change", args=[macro.pk])
    for role in (Role.PROJECT_MANAGER, Role.SUPPORT, Role.OBSERVER):
        client = signed_in(factories.member(bugs, role))
        assert [client.get(url).status_code for url in urls] == [403, 404]
        assert client.post(export).status_code == 403
        assert f'href="{history}"' in client.get(form).content.decode()
        assert client.get(history, follow=True).status_code == 200
    manager = signed_in(factories.member(bugs, Role.COMMUNITY_MANAGER))
    assert len(listed(manager)) == 3
    assert manager.get(urls[1]).status_code == 200
    other = factories.member(factories.feedback_type(), Role.COMMUNITY_MANAGER)
    stranger = signed_in(other)
    assert listed(stranger) == []
    assert stranger.get(urls[1]).status_code == 404
    assert exported(stranger, "ndjson") == ""


def test_an_export_holds_what_is_filtered_safe_for_spreadsheets(
    page: Client, macro: Macro
) -> None:
    rows = list(csv.DictReader(io.StringIO(exported(page, "csv", "?who=sam"))))
    assert [row["object_type"] for row in rows] == [
        "macros.macro",
        "feedback.feedbacktype",
    ]
    project = macro.feedback_type.project
    entry = AuditEntry.objects.get(pk=rows[0]["id"])
    assert rows[0] == {
        "id": str(entry.pk),
        "moment": entry.moment.isoformat(),
        "who": "sam",
        "api_key": "",
        "address": "",
        "action": "changed",
        "object_type": "macros.macro",
        "object_id": str(macro.pk),
        "object": "'=Post",
        "community": project.community.name,
        "project": "Phone Beta",
        "run": "",
        "changes": "name: =A -> =Post\nretry_ladder: 5 s -> <b>1 d</b>",
        "detail": "",
    }


def test_an_export_as_ndjson_holds_the_values_as_they_are(
    page: Client, macro: Macro
) -> None:
    lines = exported(page, "ndjson", "?object_type=macros.macro").splitlines()
    entries = [json.loads(line) for line in lines]
    assert [each["action"] for each in entries] == ["changed", "paused"]
    assert entries[0]["object"] == "=Post" and entries[0]["object_id"] == macro.pk
    assert entries[0]["changes"]["name"] == ["=A", "=Post"]
    assert entries[1]["detail"] == "kim paused it."


def test_an_export_is_told_itself(
    page: Client, bugs: FeedbackType, macro: Macro
) -> None:
    exported(page, "csv", "?who=sam&q=post")
    manager = factories.member(bugs, Role.COMMUNITY_MANAGER, "mia")
    exported(signed_in(manager), "ndjson")
    rows = AuditEntry.objects.filter(action="exported").order_by("pk")
    columns = ("actor_name", "address", "community", "detail")
    assert list(rows.values_list(*columns)) == [
        ("olivia", "127.0.0.1", None, "CSV of the audit log: q=post; who=sam"),
        (
            "mia",
            "127.0.0.1",
            bugs.project.community_id,
            "NDJSON of the audit log: all entries",
        ),
    ]


def test_no_export_by_a_link_or_in_another_form(page: Client, macro: Macro) -> None:
    assert (
        page.get(reverse("admin:logs_auditentry_export", args=["csv"])).status_code
        == 405
    )
    other = reverse("admin:logs_auditentry_export", args=["xml"])
    assert page.post(other).status_code == 404
    csv_form = reverse("admin:logs_auditentry_export", args=["csv"])
    assert page.post(csv_form + "?pk=x").status_code == 400, "no filter of this list"
    assert page.post(csv_form + "?moment__year=x").status_code == 302
    assert not AuditEntry.objects.filter(action="exported").exists()


def test_a_long_log_is_neither_counted_nor_read_whole(
    page: Client,
    macro: Macro,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: Any,
) -> None:
    monkeypatch.setattr(paging, "MAX_LISTED", 2)
    for _ in range(60):
        audit.record(Action.CHANGED, macro, actor="sam")
    with django_assert_max_num_queries(12):
        shown = page.get(LIST)
    assert str(shown.context["cl"].result_count) == "2+"
    assert len(exported(page, "ndjson").splitlines()) == 64  # With the sign-in.
