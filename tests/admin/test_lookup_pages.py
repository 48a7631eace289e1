"""The pages of record lookups: what is looked up, by what, and what is given."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from feedback.access.roles import Role
from feedback.models import ApiKey, FeedbackType, RecordLookup
from logs.models import AuditEntry
from tests import factories

ADD = "/admin/feedback/recordlookup/add/"


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


def of(bugs: FeedbackType, role: str = Role.PROJECT_MANAGER) -> Client:
    client = Client()
    client.force_login(factories.member(bugs, role))
    return client


def page(lookup: RecordLookup) -> str:
    return reverse("admin:feedback_recordlookup_change", args=[lookup.pk])


def test_first_it_is_chosen_what_is_looked_up(bugs: FeedbackType) -> None:
    theirs = factories.feedback_type("Ideas", "IDEA")
    html = of(bugs).get(ADD).content.decode()
    community, project = bugs.project.community, bugs.project
    for key in (
        f"feedbacktype-{bugs.pk}-feedback",
        f"project-{project.pk}-feedback",
        f"project-{project.pk}-tester",
        f"community-{community.pk}-tester",
        f"community-{community.pk}-feedback",
        f"community-{community.pk}-project",
    ):
        assert f'value="{key}"' in html
    assert f"{theirs.pk}-feedback" not in html
    in_project = Client()
    manager = factories.member(bugs, Role.PROJECT_MANAGER, in_project=True)
    in_project.force_login(manager)
    assert f"community-{community.pk}" not in in_project.get(ADD).content.decode()


def test_a_lookup_is_made_changed_and_audited(bugs: FeedbackType) -> None:
    pat = of(bugs)
    url = f"{ADD}?about=feedbacktype-{bugs.pk}-feedback"
    form = pat.get(url).content.decode()
    assert "Reference, such as BUG-12" in form and "E-mail address" not in form
    assert "Severity" in form and "Days open" in form
    sent = {
        "name": "Status",
        "key": "bug-status",
        "is_active": "on",
        "found_by": "reference",
        "columns": ["text:reference", "text:status", "text:field_severity"],
        "columns-external-0": "jira_key",
        "columns-type-0": "text",
        "columns-external-1": "crm id",
        "columns-type-1": "number",
    }
    assert pat.post(url, sent).status_code == 302
    made = RecordLookup.objects.get()
    assert (made.owner, made.community) == (bugs, bugs.project.community)
    assert [(each["name"], each["type"]) for each in made.columns] == [
        ("reference", "text"),
        ("status", "text"),
        ("field_severity", "text"),
        ("external_jira_key", "text"),
        ("external_crm id", "number"),
    ]
    shown = pat.get(page(made)).content.decode()
    assert f"http://localhost:8000/lookups/{made.community_id}/bug-status/" in shown
    assert "external_crm id, number" in shown and "BUG-12" in shown
    changed = {name: sent[name] for name in ("name", "key", "found_by", "is_active")}
    changed["columns"] = ["text:status"]
    assert pat.post(page(made), changed).status_code == 302
    made.refresh_from_db()
    assert made.columns == [{"name": "status", "type": "text"}]
    entries = AuditEntry.objects.filter(object_type="feedback.recordlookup")
    assert sorted(each.action for each in entries) == ["changed", "created"]


def test_the_url_to_try_has_the_name_as_urls_have_it(bugs: FeedbackType) -> None:
    lookup = factories.lookup(bugs, found_by="external", external_name="crm ä")
    html = of(bugs).get(page(lookup)).content.decode()
    assert f"/{lookup.key}/?external_crm%20%C3%A4=NW-41" in html


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"key": "Bug Status"}, "Use small letters, digits and hyphens"),
        ({"key": "taken"}, "The community has a lookup of this key."),
        ({"name": "TAKEN"}, "The community has a record lookup of this name."),
        ({"found_by": "email"}, "Select a valid choice."),
        *(
            ({"found_by": "external", "external_name": name}, "Give the name.")
            for name in ("", "5", "-1", "1_0", '"', "a&b=1", "<i>", "x{1..3}", "a\0b")
        ),
        ({"columns": []}, "Choose between 1 and 200 columns."),
        ({"columns": ["text:field_none"]}, "can&#x27;t be read"),
        ({"columns-external-0": "a\0b"}, "can&#x27;t be read"),
        ({"columns-external-0": "12"}, "can&#x27;t be read"),
    ],
)
def test_what_is_wrong_stands_beside_it(
    bugs: FeedbackType, wrong: dict[str, object], sentence: str
) -> None:
    factories.lookup(bugs, name="Taken", key="taken")
    sent = {
        "name": "Status",
        "key": "bug-status",
        "found_by": "reference",
        "columns": ["text:reference"],
        **wrong,
    }
    url = f"{ADD}?about=feedbacktype-{bugs.pk}-feedback"
    refused = of(bugs).post(url, sent)
    assert sentence in refused.content.decode()
    assert RecordLookup.objects.count() == 1


def test_projects_and_testers_have_ways_and_fields_of_their_own(
    bugs: FeedbackType,
) -> None:
    pk = bugs.project.community_id
    pat = of(bugs, Role.COMMUNITY_MANAGER)
    testers = pat.get(f"{ADD}?about=community-{pk}-tester").content.decode()
    assert "E-mail address" in testers and "Postal code" in testers
    url = f"{ADD}?about=community-{pk}-project"
    projects = pat.get(url).content.decode()
    assert "Open tickets" in projects and "columns-external" not in projects
    columns = ["integer:id", "integer:tickets"]
    sent = {"name": "P", "key": "p", "found_by": "name", "columns": columns}
    assert pat.post(url, sent).status_code == 302
    made = RecordLookup.objects.get()
    assert made.selects == f"projects of {bugs.project.community}"


def test_an_observer_sees_what_is_given_and_changes_nothing(bugs: FeedbackType) -> None:
    lookup = factories.lookup(bugs, "reference", "status")
    otto = of(bugs, Role.OBSERVER)
    html = otto.get(page(lookup)).content.decode()
    assert "reference, status" in html and 'name="_save"' not in html
    assert otto.post(page(lookup), {}).status_code == 403
    assert otto.get(ADD).status_code == 403


def test_a_locked_community_is_told_first(bugs: FeedbackType) -> None:
    lookup = factories.lookup(bugs)
    ApiKey.objects.update(is_enabled=False)
    manager = of(bugs, Role.COMMUNITY_MANAGER)
    url = f"{ADD}?about=feedbacktype-{bugs.pk}-feedback"
    for each in (url, page(lookup)):
        html = manager.get(each).content.decode()
        assert "Record lookups are locked." in html and "Create an API key" in html


def test_one_that_lost_a_field_says_so(bugs: FeedbackType) -> None:
    lookup = factories.lookup(bugs, "reference", "field_severity")
    bugs.form_fields.filter(key="severity").delete()
    html = of(bugs).get(page(lookup)).content.decode()
    assert "This lookup has lost a field, so it answers nobody." in html
    assert "field_severity" in html
