"""The testers' list and form: filters, columns, and data that responses brought."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from feedback.access.roles import Role
from feedback.models import FeedbackType
from feedback.models import Tester as Person
from tests import factories

LIST = reverse("admin:feedback_tester_changelist")


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


def matches(page: Client, **query: Any) -> list[str]:
    response: Any = page.get(LIST, query)
    assert response.status_code == 200
    return sorted(each.email[:1] for each in response.context["cl"].result_list)


def a_tester(of: FeedbackType, email: str, **values: Any) -> Person:
    made = factories.tester(of, email)
    Person.objects.filter(pk=made.pk).update(**values)
    made.refresh_from_db()
    return made


def test_testers_are_found_by_country_score_and_place(
    page: Client, bugs: FeedbackType
) -> None:
    a = a_tester(bugs, "a@example.com", country="DE", score=10)
    a_tester(bugs, "b@example.com", country="US", score=-3)
    far = factories.feedback_type("Idea", "IDEA")
    c = a_tester(far, "c@example.com", country="DE")
    for of, who in ((bugs, a), (bugs, a), (far, c)):
        factories.ticket(of, submitter=who)
    assert matches(page, country=" de ") == ["a", "c"]
    assert matches(page, country="D\0") == []
    assert matches(page, score_at_least="0") == ["a", "c"]
    assert matches(page, score_at_least="10") == ["a"]
    assert matches(page, score_at_least="-3") == ["a", "b", "c"]
    for wrong in ("x", "9" * 40, "\u0663", "1.5"):
        assert matches(page, score_at_least=wrong) == []
    assert matches(page, community=bugs.project.community_id) == ["a", "b"]
    assert matches(page, project=far.project_id) == ["c"]
    assert matches(page, project="0") == matches(page, community="x") == []
    assert matches(page, erased="true") == []
    assert matches(page, erased="false", country="US") == ["b"]


def test_no_filter_names_what_is_not_ones_own(bugs: FeedbackType) -> None:
    far = factories.feedback_type("Idea", "IDEA")
    far.project.name = "Far away"
    far.project.save()
    a_tester(far, "far@example.com")
    client = Client()
    client.force_login(factories.member(bugs, Role.OBSERVER))
    for query in ({}, {"project": far.project_id}, {"community": far.project_id}):
        html = client.get(LIST, query).content.decode()
        assert "Far away" not in html and "far@example.com" not in html


def test_external_data_is_a_column_and_a_filter_where_the_community_says_so(
    page: Client, bugs: FeedbackType
) -> None:
    community = bugs.project.community
    community.tester_columns = "address_valid, Crm ID,,"
    community.save()
    far = factories.feedback_type("Idea", "IDEA").project.community
    data = {"address_valid": False, "crm_id": "<b>7</b>"}
    a_tester(bugs, "a@example.com", external_data=data)
    a_tester(bugs, "b@example.com", external_data={"address_valid": True})
    a_tester(bugs, "c@example.com")

    html = page.get(LIST).content.decode()

    assert "&lt;b&gt;7&lt;/b&gt;" in html and "<b>7</b>" not in html
    assert 'class="field-external_address_valid">No</td>' in html
    assert matches(page, external_address_valid="false") == ["a"]
    assert matches(page, has_external_address_valid="true") == ["a", "b"]
    assert matches(page, has_external_address_valid="false") == ["c"]
    # It is no column of another community's list.
    bare = page.get(LIST, {"community": far.pk}).content.decode()
    assert "address_valid" not in bare


def test_the_form_shows_external_data_and_never_writes_over_it(
    page: Client, olivia: User, bugs: FeedbackType
) -> None:
    ada = a_tester(bugs, "a@example.com", external_data={"crm": "<b>1</b>"}, score=5)
    url = reverse("admin:feedback_tester_change", args=[ada.pk])
    html = page.get(url).content.decode()
    assert "<th>crm</th><td>&lt;b&gt;1&lt;/b&gt;</td>" in html
    names = [field.name for field in Person._meta.concrete_fields]
    form = {name: getattr(ada, name) for name in names if isinstance(name, str)}
    data = {key: value for key, value in form.items() if isinstance(value, str | int)}
    # Meanwhile a response came and a macro gave points.
    Person.objects.update(external_data={"crm": "2"}, score=9)
    asked = {**data, "city": "Rome", "external_data": '{"crm": "forged"}', "score": "9"}
    assert page.post(url, {**asked, "external_provenance": "{}"}).status_code == 302
    ada.refresh_from_db()
    assert (ada.city, ada.external_data, ada.score) == ("Rome", {"crm": "2"}, 9)


def test_a_value_says_which_delivery_it_came_from(
    page: Client, bugs: FeedbackType
) -> None:
    ada = a_tester(bugs, "a@example.com")
    run = factories.run(factories.macro(bugs.project.community, "https://a.example/"))
    delivery = run.deliveries.get()
    at = "2026-11-23T09:30:00+00:00"
    origin = {"run": run.pk, "delivery": delivery.pk, "attempt": 1, "at": at}
    Person.objects.update(
        external_data={"valid": True},
        external_provenance={"valid": {**origin, "source": "body $.valid"}},
    )
    url = reverse("admin:feedback_tester_change", args=[ada.pk])
    html = page.get(url).content.decode()
    log = reverse("admin:logs_delivery_change", args=[delivery.pk])
    assert f'<a href="{log}">from run {run.pk}, attempt 1, body $.valid' in html
