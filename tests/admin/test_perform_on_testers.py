"""Perform Action on testers: the list, one tester's page, and who may do it."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from centerhook.receiver import Receiver
from feedback.access.roles import Role
from feedback.models import FeedbackType
from feedback.models import Tester as Person
from logs.models import Delivery, Run
from macros import deliveries
from macros.models import Macro
from tests import factories
from tests.admin.test_perform_action import hidden_inputs

LIST = reverse("admin:feedback_tester_changelist")
TICKETS = reverse("admin:feedback_feedback_changelist")


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def ada(bugs: FeedbackType) -> Person:
    """She has submitted in the project."""
    made = factories.tester(bugs, "ada@example.com")
    factories.ticket(bugs, submitter=made)
    return made


@pytest.fixture
def grace(bugs: FeedbackType) -> Person:
    """She has submitted nothing."""
    return factories.tester(bugs, "grace@example.com")


@pytest.fixture
def whole(bugs: FeedbackType) -> Macro:
    return factories.macro(
        bugs.project.community,
        "https://a.example/",
        name="Check the address",
        body='{"to": "((Email)) in ((City))"}',
        headers="Authorization: Bearer very-secret-1",
    )


@pytest.fixture
def own(bugs: FeedbackType) -> Macro:
    return factories.macro(bugs.project, "https://b.example/", name="Thank them")


def perform(
    page: Client, macro: Macro, testers: list[Person], query: str = "", **more: Any
) -> Any:
    data = {
        "action": f"macro_{macro.pk}",
        "index": "0",
        "select_across": "0",
        "_selected_action": [tester.pk for tester in testers],
        **more,
    }
    return page.post(LIST + query, data)


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def offered(client: Client, url: str = LIST) -> list[str]:
    """The macros in the Action box of a list or of one tester's page."""
    response = client.get(url)
    assert response.status_code == 200
    html = unescape(response.content.decode())
    options = html.split('<option value="macro_')[1:]
    return [each.split(">")[1].split("</option")[0] for each in options]


def test_the_action_box_lists_the_macros_that_fit(
    page: Client, bugs: FeedbackType, ada: Person, whole: Macro, own: Macro
) -> None:
    factories.macro(bugs, "https://c.example/", name="For tickets")
    off = factories.macro(bugs.project, "https://c.example/", name="Off")
    Macro.objects.filter(pk=off.pk).update(is_active=False)
    far = factories.feedback_type("Idea", "IDEA").project
    factories.macro(far.community, "https://c.example/", name="Far")
    community = bugs.project.community

    narrowed = offered(page, f"{LIST}?community={community.pk}")

    assert narrowed == [
        f"Check the address (all testers of {community})",
        "Thank them (testers of Phone Beta)",
    ]
    assert offered(page, f"{LIST}?project={bugs.project_id}") == narrowed
    assert offered(page, f"{LIST}?project={far.pk}") == ["Far"]
    assert len(offered(page)) == 3
    assert ">Perform Action</button>" in page.get(LIST).content.decode()


def test_a_list_of_tickets_of_all_types_offers_no_user_macro(
    page: Client, bugs: FeedbackType, ada: Person, whole: Macro
) -> None:
    assert offered(page, TICKETS) == []
    assert offered(page, f"{TICKETS}?type={bugs.pk}") == []


def test_the_confirmation_shows_the_first_testers_request(
    page: Client, ada: Person, grace: Person, whole: Macro
) -> None:
    Person.objects.filter(pk=ada.pk).update(city="Rome")
    html = unescape(perform(page, whole, [ada, grace]).content.decode())
    assert "<strong>2 testers</strong>: a request for each will be sent" in html
    assert "a.example" in html
    assert '{"to": "ada@example.com in Rome"}' in html
    assert "((City))" in html and "1: grace@example.com" in html
    assert "very-secret-1" not in html and "left out" not in html
    assert Run.objects.count() == 0


def test_confirming_starts_one_run_whatever_is_clicked_twice(
    page: Client, ada: Person, grace: Person, whole: Macro, receiver: Receiver
) -> None:
    whole.steps.get().webrequest.__class__.objects.update(url=f"{receiver.url}/ok")
    form = hidden_inputs(perform(page, whole, [ada, grace]))
    urls = [page.post(LIST, form).url for _ in range(2)]
    run = Run.objects.get()
    assert urls == [reverse("admin:logs_run_change", args=[run.pk])] * 2
    assert (run.total, run.selection) == (2, "picked by hand")
    deliveries.work(run.pk)
    html = page.get(urls[0]).content.decode()
    assert (
        "ada@example.com" in html
        and '<strong>2</strong> <span class="badge good">Delivered</span>' in html
    )
    delivery = Delivery.objects.get(tester=ada)
    shown = page.get(reverse("admin:logs_delivery_change", args=[delivery.pk]))
    assert "<dt>Tester</dt>" in shown.content.decode()
    change = reverse("admin:feedback_tester_change", args=[ada.pk])
    assert f'<a href="{change}">Tara Tester</a>' in shown.content.decode()
    log = page.get(f"{reverse('admin:logs_delivery_changelist')}?tester={ada.pk}")
    assert [row.pk for row in log.context["cl"].result_list] == [delivery.pk]


def test_all_matching_means_what_the_filters_say(
    page: Client, bugs: FeedbackType, whole: Macro
) -> None:
    made = [factories.tester(bugs, f"t{number}@example.com") for number in range(60)]
    chosen = [tester.pk for tester in made[:55]]
    Person.objects.filter(pk__in=chosen).update(country="DE")
    first = list(Person.objects.filter(country="DE")[:1])
    query = "?country=de"

    form = hidden_inputs(perform(page, whole, first, query, select_across="1"))
    page.post(LIST + query, form)

    run = Run.objects.get()
    assert (run.total, run.selection) == (55, "Country: de")


def test_who_is_not_the_macros_is_left_out_and_counted(
    page: Client, ada: Person, grace: Person, own: Macro
) -> None:
    html = perform(page, own, [ada, grace]).content.decode()
    assert "<strong>1 tester</strong>: a request for each will be sent" in html
    assert "1 of it is left out: the macro runs on testers of Phone Beta" in html
    page.post(LIST, hidden_inputs(perform(page, own, [ada, grace])))
    assert list(Delivery.objects.values_list("tester", flat=True)) == [ada.pk]
    nobody = perform(page, own, [grace]).content.decode()
    assert "Nothing of the selection is what it runs on" in nobody
    assert 'value="Perform Action"' not in nobody


def test_one_testers_page_offers_what_fits_and_leads_to_the_log(
    page: Client, ada: Person, grace: Person, whole: Macro, own: Macro
) -> None:
    def page_of(tester: Person) -> str:
        return reverse("admin:feedback_tester_change", args=[tester.pk])

    assert offered(page, page_of(ada)) == ["Check the address", "Thank them"]
    assert offered(page, page_of(grace)) == ["Check the address"]
    html = page.get(page_of(ada)).content.decode()
    assert f'action="{LIST}"' in html
    log = reverse("admin:logs_delivery_changelist")
    assert f'href="{log}?tester={ada.pk}">Webhook log</a>' in html
    Person.objects.filter(pk=ada.pk).update(erased_at=timezone.now())
    assert offered(page, page_of(ada)) == []


def test_a_project_manager_runs_on_the_testers_of_the_project_only(
    bugs: FeedbackType, ada: Person, grace: Person, whole: Macro, own: Macro
) -> None:
    client = as_user(factories.member(bugs, Role.PROJECT_MANAGER, in_project=True))
    assert offered(client) == ["Thank them"]
    html = client.get(LIST).content.decode()
    assert "ada@example.com" in html and "grace@example.com" not in html

    form = hidden_inputs(perform(client, own, [ada, grace], select_across="1"))
    client.post(LIST, form)

    assert list(Delivery.objects.values_list("tester", flat=True)) == [ada.pk]
    perform(client, whole, [ada], confirmed_count="1", run_key="")
    change = reverse("admin:macros_macro_change", args=[whole.pk])
    assert client.get(change).status_code == 404
    assert Run.objects.count() == 1


@pytest.mark.parametrize("role", [Role.OBSERVER])
def test_who_may_only_look_is_offered_nothing(
    bugs: FeedbackType, ada: Person, whole: Macro, role: Role
) -> None:
    client = as_user(factories.member(bugs, role))
    assert offered(client) == []
    perform(client, whole, [ada], confirmed_count="1", run_key="")
    assert not Run.objects.exists()


def test_another_communitys_people_reach_neither_macro_nor_tester(
    bugs: FeedbackType, ada: Person, whole: Macro
) -> None:
    other = factories.feedback_type("Idea", "IDEA")
    theirs = factories.macro(other.project.community, "https://c.example/")
    factories.tester(other, "own@example.com")
    client = as_user(factories.member(other, Role.COMMUNITY_MANAGER))
    for macro in (whole, theirs):
        perform(client, macro, [ada], confirmed_count="1", run_key="")
    assert not Run.objects.exists()
