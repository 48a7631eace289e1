"""What a source uses, and what happens to it when that goes."""

from __future__ import annotations

import pytest
from django.test import Client

from feedback.models import ExternalSource, FeedbackType
from logs.privacy import erase_tester
from tests import factories
from tests.api.callers import issue_key, problem, program


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


def test_a_status_that_a_source_gives_is_not_removed_unasked(
    page: Client, bugs: FeedbackType
) -> None:
    closed = bugs.statuses.get(name="Closed")
    factories.source(bugs, name="Crash reports", default_status=closed)
    url = f"/admin/feedback/feedbacktype/{bugs.pk}/change/"
    html = page.get(url).content.decode()
    assert "statuses-TOTAL_FORMS" in html
    new = bugs.statuses.get(name="New")
    fields = {
        "project": bugs.project_id,
        "name": bugs.name,
        "prefix": bugs.prefix,
        "form_fields-TOTAL_FORMS": 0,
        "form_fields-INITIAL_FORMS": 0,
        "statuses-TOTAL_FORMS": 2,
        "statuses-INITIAL_FORMS": 2,
    }
    for number, each in enumerate((new, closed)):
        fields |= {
            f"statuses-{number}-id": each.pk,
            f"statuses-{number}-feedback_type": bugs.pk,
            f"statuses-{number}-name": each.name,
            f"statuses-{number}-position": each.position,
        }
    response = page.post(url, fields | {"statuses-1-DELETE": "on"})
    assert response.status_code == 200
    assert "is used by 1 external source." in response.content.decode()
    assert bugs.statuses.filter(pk=closed.pk).exists()


def test_a_type_goes_with_its_sources(page: Client, bugs: FeedbackType) -> None:
    status = bugs.statuses.get(name="New")
    source = factories.source(bugs, default_status=status)
    factories.SourceTicket.objects.create(
        source=source, feedback=factories.ticket(bugs)
    )
    page.post(f"/admin/feedback/feedbacktype/{bugs.pk}/delete/", {"name": bugs.name})
    assert not FeedbackType.objects.filter(pk=bugs.pk).exists()
    assert not ExternalSource.objects.exists()


def test_what_is_being_deleted_takes_no_tickets(bugs: FeedbackType) -> None:
    source = factories.source(bugs)
    caller = program(issue_key(bugs, scope_listener=True))
    type(bugs.project).objects.update(deleting_since=source.created_at)
    refused = caller.post(f"/sources/{source.key}/", {"title": "x"})
    problem(refused, 404, "not_found")


def test_an_erased_submitter_submits_nothing_more(bugs: FeedbackType) -> None:
    status = bugs.statuses.get(name="New")
    app = factories.tester(bugs, "app@example.com")
    source = factories.source(bugs, default_status=status, default_submitter=app)
    caller = program(issue_key(bugs, scope_listener=True))
    url = f"/sources/{source.key}/"
    assert caller.post(url, {"title": "x"}).status_code == 201
    erase_tester(app, None)
    [fault] = problem(caller.post(url, {"title": "x"}), 400, "invalid")["errors"]
    assert fault["pointer"] == "#/submitter"
