"""The page of an external source: its form, its URL, and what the caller needs."""

from __future__ import annotations

import json
import re
from html import unescape

import jsonschema
import pytest
from django.test import Client

from feedback.access.roles import Role
from feedback.models import ApiKey, ExternalSource, Feedback, FeedbackType
from feedback.sources.describing import example, json_schema
from feedback.sources.members import Members
from logs.models import AuditEntry
from tests import factories
from tests.api.callers import issue_key, program
from tests.sources.test_hostile_calls import RUBBISH, TAKEN

LIST = "/admin/feedback/externalsource/"


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def source(bugs: FeedbackType) -> ExternalSource:
    return factories.source(bugs, name="Crash reports")


@pytest.fixture
def page(bugs: FeedbackType) -> Client:
    client = Client()
    client.force_login(factories.member(bugs, Role.PROJECT_MANAGER, "pat"))
    return client


def shown(page: Client, source: ExternalSource, name: str) -> str:
    """A text of the page that can be copied."""
    html = page.get(f"{LIST}{source.pk}/change/").content.decode()
    [text] = re.findall(rf'id="{name}"[^>]*>(.*?)</(?:pre|code)>', html, re.DOTALL)
    return unescape(text)


def test_a_source_is_made_for_a_type_with_its_own_statuses(
    page: Client, bugs: FeedbackType
) -> None:
    other = factories.feedback_type("Ideas", "IDEA")
    new = bugs.statuses.get(name="New")
    choices = page.get(f"{LIST}add/").content.decode()
    assert str(bugs) in choices and str(other) not in choices
    url = f"{LIST}add/?feedback_type={bugs.pk}"
    form = page.get(url).content.decode()
    assert f'<option value="{new.pk}">New</option>' in form
    sent = {"feedback_type": bugs.pk, "name": "App", "default_status": new.pk}
    response = page.post(url, {**sent, "is_active": "on"})
    assert response.status_code == 302
    made = ExternalSource.objects.get()
    assert (made.default_status, made.is_active) == (new, True)
    entries = AuditEntry.objects.filter(object_type="feedback.externalsource")
    assert entries.get().action == "created"
    theirs = other.statuses.get(name="New")
    for status in (theirs.pk, "x"):
        refused = page.post(url, {**sent, "name": "B", "default_status": status})
        assert "Select a valid choice" in refused.content.decode()


def test_a_submitter_of_another_community_is_refused(
    bugs: FeedbackType, source: ExternalSource
) -> None:
    olivia = Client()
    olivia.force_login(factories.superuser())
    stranger = factories.tester(factories.feedback_type("Ideas", "IDEA"))
    sent = {"name": "x", "default_submitter": stranger.pk}
    refused = olivia.post(f"{LIST}{source.pk}/change/", sent)
    assert "The tester is of another community." in refused.content.decode()


def test_the_url_changes_with_a_new_key_and_the_old_one_stops(
    page: Client, source: ExternalSource, bugs: FeedbackType
) -> None:
    before = shown(page, source, "source-url")
    assert before == f"http://localhost:8000/sources/{source.key}/"
    confirmation = page.get(f"{LIST}{source.pk}/key/").content.decode()
    assert "The present URL stops at once" in confirmation
    page.post(f"{LIST}{source.pk}/key/", {"key": "\0"})
    assert shown(page, source, "source-url") == before
    for _ in range(2):  # Sent twice, it is replaced once.
        page.post(f"{LIST}{source.pk}/key/", {"key": source.key})
    after = shown(page, source, "source-url")
    assert after != before
    entry = AuditEntry.objects.get(object_type="feedback.externalsource")
    assert "new key" in entry.detail and source.key not in str(entry.changes)
    caller = program(issue_key(bugs, scope_listener=True))
    submitter = factories.tester(bugs)
    body = {"title": "x", "status": "New", "submitter": submitter.email}
    for url, status in ((before, 404), (after, 201)):
        path = url.removeprefix("http://localhost:8000")
        assert caller.post(path, body).status_code == status


def test_the_curl_command_makes_a_ticket(
    page: Client, source: ExternalSource, bugs: FeedbackType
) -> None:
    curl = shown(page, source, "source-curl")
    assert f"--url http://localhost:8000/sources/{source.key}/" in curl
    body = json.loads(re.findall(r"--data-raw '(.*)'", curl, re.DOTALL)[0])
    factories.tester(bugs, "ada@example.com")
    caller = program(issue_key(bugs, scope_listener=True))
    response = caller.post(f"/sources/{source.key}/", body)
    assert response.status_code == 201, response.json()
    assert Feedback.objects.get().form_values["severity"] == "Minor"
    assert "BUG-1" in page.get(f"{LIST}{source.pk}/change/").content.decode()


def test_the_schema_accepts_its_example_and_says_what_is_required(
    page: Client, source: ExternalSource
) -> None:
    schema = json.loads(shown(page, source, "source-schema"))
    jsonschema.Draft202012Validator.check_schema(schema)
    members = Members(source)
    jsonschema.validate(example(members), schema)
    assert schema["required"] == ["title", "status", "submitter"]
    source.default_status = source.feedback_type.statuses.get(name="New")
    source.default_submitter = factories.tester(source.feedback_type)
    assert json_schema(Members(source))["required"] == ["title"]


@pytest.mark.sweep
@pytest.mark.parametrize("required", [False, True])
def test_what_the_schema_accepts_the_source_takes(
    source: ExternalSource, bugs: FeedbackType, required: bool
) -> None:
    source.default_status = bugs.statuses.get(name="New")
    source.default_submitter = factories.tester(bugs)
    source.save()
    caller = program(issue_key(bugs, scope_listener=True))
    accepted = 0
    for key in TAKEN:
        bugs.form_fields.update(required=False)
        bugs.form_fields.filter(key=key).update(required=required)
        schema = json_schema(Members(source))
        validator = jsonschema.Draft202012Validator(
            schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
        )
        for value in [*TAKEN[key], *RUBBISH[key]]:
            body = {"title": "x", key: value}
            response = caller.post(f"/sources/{source.key}/", body)
            # Decimals are no multiples of 0.000001 to most validators.
            if validator.is_valid(body) and value != 0.1234567:
                accepted += 1
                assert response.status_code == 201, (body, response.json())
    assert accepted > 10


def test_the_html_form_asks_for_every_question(
    page: Client, source: ExternalSource, bugs: FeedbackType
) -> None:
    bugs.form_fields.filter(key="severity").update(
        label='<b>"Severity"', choices="Minor\n<script>"
    )
    form = shown(page, source, "source-form")
    names = set(re.findall(r' name="(\w+)"', form))
    assert names == set(json_schema(Members(source))["properties"]) - {"external"}
    assert f'/sources/{source.key}/?api_key=YOUR-API-KEY"' in form
    assert "&lt;script&gt;" in form and "<script>" not in form


def test_without_an_api_key_the_page_says_how_to_unlock(
    page: Client, source: ExternalSource
) -> None:
    url = f"{LIST}{source.pk}/change/"
    assert "Web requests are locked" not in page.get(url).content.decode()
    ApiKey.objects.update(is_enabled=False)
    assert "Web requests are locked" in page.get(url).content.decode()


def test_an_observer_looks_and_changes_nothing(
    source: ExternalSource, bugs: FeedbackType
) -> None:
    client = Client()
    client.force_login(factories.member(bugs, Role.OBSERVER, "otto"))
    html = client.get(f"{LIST}{source.pk}/change/").content.decode()
    assert source.key in html and "New key" not in html
    assert client.get(f"{LIST}{source.pk}/key/").status_code == 403


def test_the_list_shows_when_the_last_ticket_came(
    page: Client, source: ExternalSource
) -> None:
    assert 'class="field-last_ticket">-</td>' in page.get(LIST).content.decode()
    factories.SourceTicket.objects.create(source=source)
    html = page.get(LIST).content.decode()
    assert re.search(r'field-last_ticket nowrap">\w', html)
    ideas = factories.feedback_type("Ideas", "IDEA")
    empty = page.get(f"{LIST}?feedback_type={ideas.pk}").content.decode()
    assert "Crash reports" not in empty
