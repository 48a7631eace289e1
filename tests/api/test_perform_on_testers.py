"""User macros from outside: on testers by number or by filter, and no others."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from feedback.access.roles import Role
from feedback.models import FeedbackType
from feedback.models import Tester as Person
from logs.models import Run
from macros.models import Macro
from tests import factories
from tests.api.callers import issue_key, person, problem, program
from tests.api.test_perform_action import perform, refused

URL = "https://example.com/hook"


@pytest.fixture
def ada(bugs: FeedbackType) -> Person:
    made = factories.tester(bugs, "ada@example.com")
    factories.ticket(bugs, submitter=made)
    return made


@pytest.fixture
def grace(bugs: FeedbackType) -> Person:
    return factories.tester(bugs, "grace@example.com")


@pytest.fixture
def whole(bugs: FeedbackType) -> Macro:
    return factories.macro(bugs.project.community, URL, name="Check the address")


@pytest.fixture
def own(bugs: FeedbackType) -> Macro:
    return factories.macro(bugs.project, URL, name="Thank them")


def subjects() -> list[str]:
    rows = Run.objects.get().deliveries.order_by("subject_label")
    return [row.subject_label for row in rows]


def test_a_user_macro_is_told_as_such(
    bugs: FeedbackType, caller: APIClient, whole: Macro, own: Macro
) -> None:
    factories.macro(bugs, URL, name="For tickets")

    def kinds(**query: Any) -> list[tuple[Any, ...]]:
        rows = caller.get("/api/v1/macros/", query).json()["results"]
        names = ("name", "subject_kind", "type")
        return [
            (*(row[name] for name in names), row["project"] is None) for row in rows
        ]

    assert kinds(subject_kind="tester") == [
        ("Thank them", "tester", None, False),
        ("Check the address", "tester", None, True),
    ]
    assert [name for name, *_ in kinds(subject_kind="feedback")] == ["For tickets"]
    assert caller.get(f"/api/v1/macros/{whole.pk}/").json()["type"] is None


def test_testers_by_number(
    caller: APIClient, ada: Person, grace: Person, whole: Macro
) -> None:
    response = perform(caller, whole, {"ids": [grace.pk, ada.pk, ada.pk]})
    assert response.status_code == 201
    assert response.json()["selection"] == "2 by number"
    assert subjects() == ["ada@example.com", "grace@example.com"]
    rows = caller.get("/api/v1/deliveries/", {"tester": ada.pk}).json()["results"]
    [row] = rows
    assert (row["feedback"], row["tester"]) == (None, ada.pk)
    assert row["reference"] == "ada@example.com"
    by_name = {"reference": "grace@example.com"}
    [other] = caller.get("/api/v1/deliveries/", by_name).json()["results"]
    assert other["tester"] == grace.pk


def test_testers_by_filter(
    bugs: FeedbackType, caller: APIClient, ada: Person, grace: Person, whole: Macro
) -> None:
    Person.objects.update(country="DE", score=3)
    Person.objects.filter(pk=grace.pk).update(external_data={"valid": "yes"})
    asked = {"country": "de", "score_at_least": 3, "external_valid": "yes"}
    assert perform(caller, whole, {"filter": asked}).status_code == 201
    run = Run.objects.get()
    assert subjects() == ["grace@example.com"]
    assert run.selection == "Country: de; Score at least: 3; Valid: yes"


@pytest.mark.parametrize(
    ("conditions", "sentence"),
    [
        ({"open": True}, "No such parameter."),
        ({"contry": "DE"}, "No such parameter. Did you mean 'country'?"),
        ({"project": "Secret phone"}, "There is no project 'Secret phone'."),
        ({"score_at_least": "many"}, "Give a whole number, such as 10."),
        ({"country": ""}, "Give a value, or leave the parameter out."),
    ],
)
def test_a_condition_that_is_none_of_testers_is_refused(
    caller: APIClient,
    ada: Person,
    whole: Macro,
    conditions: dict[str, Any],
    sentence: str,
) -> None:
    [detail] = refused(perform(caller, whole, {"filter": conditions})).values()
    assert detail.startswith(sentence)
    assert not Run.objects.exists()


def test_a_number_that_is_hidden_erased_or_not_of_the_project_starts_nothing(
    bugs: FeedbackType, caller: APIClient, ada: Person, grace: Person, own: Macro
) -> None:
    far = factories.tester(factories.feedback_type("Idea", "IDEA"), "far@example.com")
    erased = factories.tester(bugs, "gone@example.com")
    factories.ticket(bugs, submitter=erased)
    Person.objects.filter(pk=erased.pk).update(erased_at=timezone.now())
    for other in (far, erased, grace):
        faults = refused(perform(caller, own, {"ids": [ada.pk, other.pk]}))
        assert faults == {"#/ids/1": f"There is no tester {other.pk} of Phone Beta."}
    assert not Run.objects.exists()
    assert perform(caller, own, {"filter": {"search": "example"}}).status_code == 201
    assert subjects() == ["ada@example.com"]


def test_roles_and_keys_of_a_project_reach_its_own_macro_and_testers_only(
    bugs: FeedbackType, ada: Person, grace: Person, whole: Macro, own: Macro
) -> None:
    token = issue_key(bugs, "Of the project", project=bugs.project)
    support = factories.member(bugs, Role.SUPPORT, "sue", in_project=True)
    for client in (program(token), person(support)):
        response = perform(client, whole, {"ids": [ada.pk]})
        assert problem(response, 404, "not_found")
        assert list(refused(perform(client, own, {"ids": [grace.pk]}))) == ["#/ids/0"]
        assert perform(client, own, {"ids": [ada.pk]}).status_code == 201
        rows = client.get("/api/v1/testers/").json()["results"]
        assert [row["email"] for row in rows] == ["ada@example.com"]


def test_a_repeat_with_the_same_key_gives_the_same_run(
    caller: APIClient, ada: Person, whole: Macro
) -> None:
    body = {"ids": [ada.pk]}
    made = perform(caller, whole, body, "once").json()
    ada.delete()
    assert perform(caller, whole, body, "once").json()["id"] == made["id"]
    assert Run.objects.count() == 1


def test_testers_are_found_and_told_whole(
    bugs: FeedbackType, caller: APIClient, ada: Person, grace: Person
) -> None:
    Person.objects.filter(pk=ada.pk).update(
        city="Rome", score=4, external_data={"valid": True}
    )
    row = caller.get(f"/api/v1/testers/{ada.pk}/").json()
    community = bugs.project.community
    assert row == {
        "id": ada.pk,
        "email": "ada@example.com",
        "name": "Tara Tester",
        "first_name": "Tara",
        "last_name": "Tester",
        "phone": "",
        "company": "",
        "street1": "",
        "street2": "",
        "city": "Rome",
        "region": "",
        "postal_code": "",
        "country": "",
        "community": {"id": community.pk, "name": community.name},
        "score": 4,
        "external_data": {"valid": True},
        "created_at": row["created_at"],
        "erased_at": None,
    }

    def matches(**query: Any) -> list[str]:
        rows = caller.get("/api/v1/testers/", query).json()["results"]
        return [row["email"][0] for row in rows]

    assert matches() == ["g", "a"]
    assert matches(project="Phone Beta") == matches(email="ADA@example.com") == ["a"]
    assert (
        matches(search="tara grace") == matches(erased="false", score_at_least=-1)[:1]
    )
    assert matches(score_at_least=1) == ["a"] and matches(erased="true") == []
    assert matches(created_before="2020-01-01") == []


def test_strangers_and_keys_without_read_find_nobody(
    bugs: FeedbackType, stranger: APIClient, ada: Person
) -> None:
    assert stranger.get("/api/v1/testers/").json()["results"] == []
    problem(stranger.get(f"/api/v1/testers/{ada.pk}/"), 404, "not_found")
    blind = program(issue_key(bugs, "Blind", scope_read=False))
    problem(blind.get("/api/v1/testers/"), 403, "missing_scope")
