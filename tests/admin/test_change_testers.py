"""Many testers changed at once, as tickets are."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback.access.roles import Role
from feedback.models import FeedbackType, Tester
from logs.models import AuditEntry, Run
from macros.models import Event
from tests import factories
from tests.admin.test_change_many import hidden_inputs, messages_of, table, text

LIST = reverse("admin:feedback_tester_changelist")


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def people(bugs: FeedbackType) -> list[Tester]:
    return [factories.tester(bugs, f"{name}@example.com") for name in ("ann", "bob")]


def sent(page: Client, testers: list[Tester], **more: Any) -> Any:
    picked = [tester.pk for tester in testers]
    data = {"action": "change_many", "_selected_action": picked, **more}
    return page.post(LIST, data, follow=True)


def test_a_choice_is_shown_as_it_would_be_and_then_made(
    page: Client, bugs: FeedbackType, people: list[Tester]
) -> None:
    Tester.objects.filter(pk=people[1].pk).update(company="Initech", score=5)
    cid = factories.tester(bugs, "cid@example.com")
    form = text(sent(page, people))
    assert 'name="to-company"' in form and 'name="to-score"' in form
    assert 'name="to-email"' not in form and 'name="to-phone"' not in form

    chosen = {
        "step": "preview",
        "change": ["company", "score"],
        "to-company": "Initech",
        "to-score": "5",
        "to-city": "Berlin",
    }
    shown = sent(page, people, **chosen)
    assert "<strong>1 tester</strong> would change. 1 is so already." in text(shown)
    before = people[0].company or "-"
    assert sorted(table(shown)) == [
        ["Company", before, "Initech", "1"],
        ["Score", "0", "5", "1"],
    ]
    assert Tester.objects.get(pk=people[0].pk).score == 0
    done = page.post(LIST, hidden_inputs(shown), follow=True)
    assert messages_of(done) == ["1 tester was changed. 1 were so already."]
    for tester in Tester.objects.exclude(pk=cid.pk):
        assert (tester.company, tester.score) == ("Initech", 5)
        assert tester.city == people[0].city
    assert Tester.objects.get(pk=cid.pk).score == 0
    assert AuditEntry.objects.filter(
        object_type="feedback.tester", actor_name="olivia"
    ).exists()


@pytest.mark.parametrize(
    ("chosen", "problem"),
    [
        ({}, "Choose at least one thing to change"),
        ({"change": "email", "to-email": "x@x.com"}, "Choose at least one thing"),
        ({"change": "erased_at", "to-erased_at": ""}, "Choose at least one thing"),
        ({"change": "score"}, "This field is required"),
        ({"change": "score", "to-score": "9" * 30}, "less than or equal to"),
        ({"change": "country", "to-country": "DEU"}, "at most 2 characters"),
        ({"change": "company", "to-company": "\0"}, "Null characters"),
    ],
)
def test_what_can_t_be_is_said_beside_it(
    page: Client, people: list[Tester], chosen: dict[str, str], problem: str
) -> None:
    before = list(Tester.objects.values())
    for step in ("preview", "change"):
        assert problem in text(sent(page, people, step=step, **chosen))
    assert list(Tester.objects.values()) == before


def test_who_was_erased_is_left_out_however_late(
    page: Client, people: list[Tester]
) -> None:
    chosen = {"step": "preview", "change": "company", "to-company": "Initech"}
    shown = sent(page, people, **chosen)
    Tester.objects.filter(pk=people[0].pk).update(erased_at=timezone.now(), company="")
    again = page.post(LIST, hidden_inputs(shown), follow=True)
    assert "The selection has changed meanwhile." in messages_of(again)[0]
    assert "1 of the selection is left out: you may not change it, or" in text(again)
    page.post(LIST, hidden_inputs(again))
    companies = Tester.objects.order_by("pk").values_list("company", flat=True)
    assert list(companies) == ["", "Initech"]


def test_who_may_not_change_is_not_offered_it_and_changes_nothing(
    bugs: FeedbackType, people: list[Tester]
) -> None:
    chosen = {"step": "preview", "change": "company", "to-company": "Initech"}
    for role, may_change in [(Role.OBSERVER, False), (Role.SUPPORT, True)]:
        client = Client()
        client.force_login(factories.member(bugs, role, role))
        assert ("change_many" in text(client.get(LIST))) is may_change
        shown = sent(client, people, **chosen)
        assert ("would change" in text(shown)) is may_change
    elsewhere = factories.feedback_type("Idea", "IDEA")
    theirs = factories.tester(elsewhere, "eve@example.com")
    html = text(sent(client, [people[0], theirs]))
    assert "Change 1 tester |" in html


def test_triggers_are_named_before_and_run_as_for_other_changes(
    page: Client, bugs: FeedbackType, people: list[Tester]
) -> None:
    macro = factories.macro(
        bugs.project.community, "https://example.com/", name="Tell CRM"
    )
    factories.trigger(macro, Event.TESTER_CHANGED, name="On change", is_active=True)
    factories.trigger(macro, Event.TESTER_ADDED, name="On new", is_active=True)
    there = factories.feedback_type("Idea", "IDEA").project
    if there.community_id != bugs.project.community_id:
        other = factories.macro(there.community, "https://example.com/", name="Theirs")
        factories.trigger(other, Event.TESTER_CHANGED, name="Hidden", is_active=True)
    chosen = {"step": "preview", "change": "company", "to-company": "Initech"}
    shown = sent(page, people, **chosen)
    html = unescape(text(shown))
    assert "On change (Tell CRM)." in html and "On new" not in html
    assert "Hidden" not in html
    page.post(LIST, hidden_inputs(shown))
    assert sum(Run.objects.values_list("total", flat=True)) == 2
