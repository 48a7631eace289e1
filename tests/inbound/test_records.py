"""Which ticket or tester an event is about."""

from __future__ import annotations

import pytest

from feedback.models import Feedback, Project
from tests import factories

from .calling import call

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs():
    return factories.feedback_type()


def finder(of, by="external", **values):
    kind = {"kind": "external", "name": "seen", "value": "yes"}
    return factories.listener(
        of, kind, record_by=by, record_at="$.v", record_external="key", **values
    )


def is_found(listener, value) -> bool:
    return call(listener, {"v": value}).outcome == "acted"


@pytest.mark.parametrize(
    ("stored", "matching", "others"),
    [
        ("NW-41", ["NW-41", " NW-41 "], ["nw-41", "NW-4", "", None, "NW-41x"]),
        (41, [41, "41", 41.0], ["041", 4.1, True, [41], "41 "[:1]]),
        ("41", [41, "41"], [42]),
        (2.5, [2.5, "2.5"], ["2,5", 25]),
        (True, [True, "true"], [1, "True", "yes"]),
        ("null", ["null"], [None]),
        ("[1]", ["[1]"], [[1]]),
        ("a\"b\\c'd%", ["a\"b\\c'd%"], ["a"]),
        (12345678901234567, [12345678901234567], [12345678901234568]),
        (["NW-41"], [], ["NW-41"]),
        ({"a": 1}, [], ["1", '{"a": 1}']),
    ],
)
def test_external_data_is_compared_as_filters_compare_it(
    bugs, stored, matching, others
):
    factories.ticket(bugs, external_data={"key": stored})
    listener = finder(bugs)
    assert [value for value in matching if not is_found(listener, value)] == []
    assert [value for value in others if is_found(listener, value)] == []


def test_a_name_stands_for_its_normalised_form_too(bugs):
    factories.ticket(bugs, external_data={"jira_key": "a"})
    factories.ticket(bugs, external_data={"Jira key": "b"})
    listener = finder(bugs)
    type(listener).objects.update(record_external="Jira key")
    assert is_found(listener, "a") and is_found(listener, "b")


@pytest.mark.parametrize(
    ("value", "count"),
    [("BUG-1", 1), ("bug-1", 1), (" BUG-1", 1), ("BUG-01", 0), ("BUG-2", 0)]
    + [("IDEA-1", 0), ("1", 0), ("BUG-1 OR 1=1", 0), ("BUG-" + "9" * 50, 0), ("", 0)],
)
def test_by_reference(bugs, value, count):
    factories.ticket(bugs)
    assert is_found(finder(bugs, "reference"), value) == bool(count)


@pytest.mark.parametrize(
    ("value", "count"),
    [("{pk}", 1), (" {pk} ", 1), ("-{pk}", 0), ("9" * 18, 0), ("9" * 30, 0)]
    + [("x", 0), ("1.0", 0), ("²", 0)],
)
def test_by_id(bugs, value, count):
    pk = factories.ticket(bugs).pk
    assert is_found(finder(bugs, "id"), value.format(pk=pk)) == bool(count)


def test_a_number_is_an_id_too(bugs):
    pk = factories.ticket(bugs).pk
    assert is_found(finder(bugs, "id"), pk) and not is_found(finder(bugs, "id"), pk + 1)
    assert not is_found(finder(bugs, "id"), 10**300)


def test_only_what_is_the_listeners_own_is_found(bugs):
    """A community's, a project's, a type's: each within its own walls."""
    community = bugs.project.community
    other_project = Project.objects.create(community=community, name="Other")
    ideas = factories.feedback_type("Idea", "IDEA")
    type(ideas).objects.filter(pk=ideas.pk).update(project=other_project)
    ideas.refresh_from_db()
    strangers = factories.feedback_type()
    for number, of in enumerate([bugs, ideas, strangers]):
        factories.ticket(of, external_data={"key": number})
    owners = {bugs: [0], bugs.project: [0], strangers: [2]}
    for owner, own in owners.items():
        listener = finder(owner)
        assert [n for n in range(3) if is_found(listener, n)] == own
    listener = finder(community, subject_kind="feedback")
    assert [n for n in range(3) if is_found(listener, n)] == [0, 1]


def test_testers_of_a_project_are_those_who_submitted_in_it(bugs):
    inside, outside = factories.tester(bugs), factories.tester(bugs)
    factories.ticket(bugs, submitter=inside)
    listener = finder(bugs.project, "email", subject_kind="tester")
    assert is_found(listener, inside.email) and not is_found(listener, outside.email)
    listener = finder(bugs.project.community, "email")
    assert is_found(listener, outside.email)
    assert not is_found(finder(factories.feedback_type().project.community), "x")


def test_a_value_that_no_column_takes_finds_nothing(bugs):
    factories.ticket(bugs)
    for by in ("external", "reference", "id"):
        assert not is_found(finder(bugs, by), "x" * 10_000)
        assert not is_found(finder(bugs, by), "\0")
    assert Feedback.objects.get().external_data == {}
