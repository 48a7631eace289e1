"""What a page asks the database once, and where it must not trust that."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from feedback.access.actors import may
from feedback.access.roles import CHANGE_TICKET, PERMISSIONS, VIEW_TICKET, Role
from feedback.console.preferences import prefer, preference
from feedback.console.scoping import may_here
from feedback.models import FeedbackType, Project
from macros.models import ListenerCheck, Scheme
from tests import factories


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert client.get(url).status_code == 200
    return len(seen)


@pytest.mark.parametrize("role", Role.values)
def test_where_a_row_is_gives_the_answer_of_each_permission(
    bugs: FeedbackType, role: str
) -> None:
    """Two roles, one of them in a project only: each holds where it was given."""
    community = bugs.project.community
    beside = Project.objects.create(community=community, name="Watch Beta")
    watched = FeedbackType.objects.create(project=beside, name="Idea", prefix="IDEA")
    user = factories.member(bugs, Role.OBSERVER, "ann")
    factories.member(bugs, role, "ann", in_project=True)
    request = RequestFactory().get("/")
    request.user = user
    rows = [*(factories.ticket(each) for each in (bugs, watched)), bugs, watched]
    rows += [factories.ticket(factories.feedback_type()), community]
    permissions = set[str]().union(*PERMISSIONS.values())
    asked = [(each, row) for each in sorted(permissions) for row in rows]
    assert [may_here(request, *each) for each in asked] == [
        may(user, *each) for each in asked
    ]


@pytest.mark.parametrize(("method", "times"), [("GET", 1), ("POST", 2)])
def test_only_a_page_that_is_read_remembers_where_a_row_is(
    bugs: FeedbackType, method: str, times: int
) -> None:
    request = RequestFactory().generic(method, "/")
    request.user = factories.member(bugs, Role.COMMUNITY_MANAGER)
    ticket = factories.ticket(bugs)
    request.user.has_perm(VIEW_TICKET)  # Its roles are looked up.
    with CaptureQueriesContext(connection) as seen:
        assert may_here(request, VIEW_TICKET, ticket)
        assert may_here(request, CHANGE_TICKET, ticket)
    assert len(seen) == times


def test_preferences_are_looked_up_together_and_a_new_one_is_seen_at_once(
    bugs: FeedbackType,
) -> None:
    user = factories.member(bugs, Role.SUPPORT)
    with CaptureQueriesContext(connection) as seen:
        assert [preference(user, name) for name in ("one", "two", "one")] == [None] * 3
    assert len(seen) == 1
    prefer(user, "two", 2)
    assert [preference(user, name) for name in ("one", "two")] == [None, 2]
    prefer(user, "two", None)
    assert preference(user, "two") is None


def test_saved_filters_are_looked_up_together_for_their_counts(
    bugs: FeedbackType, page: Client
) -> None:
    factories.ticket(bugs)
    url = f"{reverse('admin:feedback_feedback_changelist')}?type={bugs.pk}"
    factories.saved_filter(bugs)
    queries(page, url)
    few = queries(page, url)
    for _ in range(4):
        factories.saved_filter(bugs)
    assert queries(page, url) == few


@pytest.mark.parametrize("query", ["_facets=1", "field_q0=a&field_q1=a"])
def test_questions_are_looked_up_together_however_many(
    bugs: FeedbackType, page: Client, query: str
) -> None:
    factories.ticket(bugs)
    url = f"{reverse('admin:feedback_feedback_changelist')}?type={bugs.pk}&{query}"

    def ask(*numbers: int) -> None:
        for number in numbers:
            bugs.form_fields.create(
                label=f"Q {number}", key=f"q{number}", kind="choice", choices="a\nb"
            )

    ask(0, 1)
    queries(page, url)
    few = queries(page, url)
    ask(2, 3, 4, 5)
    more = url + "&field_q2=a&field_q3=b" if "q0" in query else url
    assert queries(page, more) == few


def test_a_listener_looks_up_once_what_its_parts_offer(
    bugs: FeedbackType, page: Client
) -> None:
    listener = factories.listener(bugs)
    secret = factories.secret(bugs, "Shared")
    url = reverse("admin:macros_listener_change", args=[listener.pk])
    queries(page, url)

    def more() -> None:
        ListenerCheck.objects.create(
            listener=listener, scheme=Scheme.GITHUB, secret=secret
        )

    more()
    few = queries(page, url)
    more()
    assert queries(page, url) == few
