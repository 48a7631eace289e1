"""A user macro's form: whose testers it runs on is said once, by who may."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback.access.roles import Role
from feedback.models import FeedbackType
from macros.models import Macro
from macros.steps.kinds.web_request import WebRequest
from tests import factories
from tests.admin.test_macro_form import ADD, REQUEST, errors, form

TESTERS = {**REQUEST, "headers": "", "body": '{"to": "((Email))"}'}


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


def signed_in(bugs: FeedbackType, role: Role, *, in_project: bool = False) -> Client:
    client = Client()
    client.force_login(factories.member(bugs, role, in_project=in_project))
    return client


@pytest.mark.parametrize("kind", ["project", "community"])
def test_a_user_macro_is_saved_where_it_was_said(
    page: Client, bugs: FeedbackType, kind: str
) -> None:
    owner = {"project": bugs.project, "community": bugs.project.community}[kind]
    data = form(None, TESTERS, testers_of=f"{kind}-{owner.pk}")
    assert page.post(ADD, data).status_code == 302
    macro = Macro.objects.get()
    assert (macro.owner, macro.subject_kind, macro.feedback_type) == (
        owner,
        "tester",
        None,
    )
    assert macro.community == bugs.project.community
    listed = page.get(reverse("admin:macros_macro_changelist")).content.decode()
    assert macro.runs_on in listed and "testers of" in macro.runs_on
    assert errors(page.post(ADD, data)) == {
        "__all__": [f"The {kind} has a user macro of this name."]
    }


def test_a_type_or_testers_not_both_and_not_neither(
    page: Client, bugs: FeedbackType
) -> None:
    testers = f"project-{bugs.project_id}"
    both = errors(page.post(ADD, form(bugs, testers_of=testers)))
    assert both == {"testers_of": ["Choose a feedback type or testers, not both."]}
    neither = errors(page.post(ADD, form(None)))
    assert neither["feedback_type"][0] == "Choose a feedback type or testers."
    for wrong in ("project-0", "project", "community-x", "feedbacktype-1"):
        faults = errors(page.post(ADD, form(None, testers_of=wrong)))
        assert "testers_of" in faults, wrong
    assert not Macro.objects.exists()


def test_a_tickets_tag_is_refused_with_the_reason(
    page: Client, bugs: FeedbackType
) -> None:
    request = {**TESTERS, "body": '{\n "a": "((Ticket URL)) ((Field: Severity))"}'}
    data = form(None, request, testers_of=f"project-{bugs.project_id}")
    assert errors(page.post(ADD, data)) == {
        "0.body": [
            "Line 2, column 8: ((Ticket URL)) is a tag of tickets, and this macro runs"
            " on testers. Did you mean ((Tester URL))?",
            "Line 2, column 23: ((Field: Severity)) is a tag of tickets, and this macro"
            " runs on testers.",
        ]
    }
    assert not Macro.objects.exists()


def test_a_saved_macro_stays_what_and_where_it_is(
    page: Client, bugs: FeedbackType
) -> None:
    other = factories.feedback_type("Idea", "IDEA")
    user = factories.macro(bugs.project, name="For testers")
    typed = factories.macro(bugs, name="For tickets")
    forged = {
        "testers_of": f"community-{other.project.community_id}",
        "project": other.project_id,
        "community": other.project.community_id,
        "owner": f"project-{other.project_id}",
    }

    def save(macro: Macro, of: FeedbackType | None) -> Any:
        url = reverse("admin:macros_macro_change", args=[macro.pk])
        return page.post(url, form(of, name="Renamed", **forged))

    assert save(user, other).status_code == 302
    assert errors(save(typed, None)) == {"feedback_type": ["This field is required."]}
    for macro, owner, name in (
        (user, bugs.project, "Renamed"),
        (typed, bugs, "For tickets"),
    ):
        macro = Macro.objects.get(pk=macro.pk)
        assert (macro.owner, macro.name) == (owner, name)


def test_two_user_macros_of_a_place_differ_in_name_on_change_too(
    page: Client, bugs: FeedbackType
) -> None:
    factories.macro(bugs.project, name="Taken")
    made = factories.macro(bugs.project, name="Free")
    url = reverse("admin:macros_macro_change", args=[made.pk])
    assert errors(page.post(url, form(None, name="Taken"))) == {
        "__all__": ["The project has a user macro of this name."]
    }


def test_a_project_manager_makes_macros_for_the_project_only(
    bugs: FeedbackType,
) -> None:
    client = signed_in(bugs, Role.PROJECT_MANAGER, in_project=True)
    community = bugs.project.community
    html = client.get(ADD).content.decode()
    assert f'value="project-{bugs.project_id}"' in html
    assert f'value="community-{community.pk}"' not in html
    whole = form(None, TESTERS, testers_of=f"community-{community.pk}")
    assert "testers_of" in errors(client.post(ADD, whole))
    assert not Macro.objects.exists()
    own = form(None, TESTERS, testers_of=f"project-{bugs.project_id}")
    assert client.post(ADD, own).status_code == 302
    assert WebRequest.objects.get().macro.owner == bugs.project


def test_a_community_manager_chooses_among_all_of_the_community(
    bugs: FeedbackType,
) -> None:
    far = factories.feedback_type("Idea", "IDEA")
    client = signed_in(bugs, Role.COMMUNITY_MANAGER)
    html = client.get(ADD).content.decode()
    for owner, seen in ((bugs.project, True), (far.project, False)):
        assert (f'value="project-{owner.pk}"' in html) is seen
        assert (f'value="community-{owner.community_id}"' in html) is seen


def test_the_page_leads_to_its_tags_and_testers(
    page: Client, bugs: FeedbackType
) -> None:
    macro = factories.macro(bugs.project)
    url = reverse("admin:macros_macro_change", args=[macro.pk])
    html = page.get(url).content.decode()
    testers = reverse("admin:feedback_tester_changelist")
    assert f'href="{testers}?project={bugs.project_id}">Testers</a>' in html
    tags = f"{reverse('admin:macros_macro_tags')}?of=project-{bugs.project_id}"
    assert tags in html
    assert "((Tester URL))" in page.get(tags).content.decode()
