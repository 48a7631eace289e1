"""The page of a data package: its columns, its first rows, and how tools read it."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from feedback.access.roles import Role
from feedback.models import DataPackage, FeedbackType, Snapshot, SnapshotState
from feedback.packages.tables import PackageBroken, broken, opened
from logs.models import AuditEntry
from tests import factories

LIST = "/admin/feedback/datapackage/"


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def page(bugs: FeedbackType) -> Client:
    client = Client()
    client.force_login(factories.member(bugs, Role.PROJECT_MANAGER, "pat"))
    return client


def form_of(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Open bugs",
        "key": "open-bugs",
        "is_active": "on",
        "columns": ["integer:id", "text:title"],
        "columns-position-integer:id": "2",
        "columns-position-text:title": "1",
        "refresh_every": "0",
        "format": "csv",
        **changes,
    }


def html_of(page: Client, url: str) -> str:
    response = page.get(url)
    assert response.status_code == 200
    return response.content.decode()


def test_a_package_is_made_of_what_was_chosen_with_its_columns_in_order(
    page: Client, bugs: FeedbackType
) -> None:
    other = factories.feedback_type("Ideas", "IDEA")
    choices = html_of(page, f"{LIST}add/")
    community, project = bugs.project.community_id, bugs.project_id
    for owner, kinds in {
        f"feedbacktype-{bugs.pk}": ["feedback", "deliveries"],
        f"project-{project}": ["feedback", "tester", "deliveries"],
        f"community-{community}": ["feedback", "tester", "deliveries"],
    }.items():
        for kind in kinds:
            assert f'<option value="{owner}-{kind}">' in choices
    assert f"feedbacktype-{other.pk}-" not in choices
    url = f"{LIST}add/?about=feedbacktype-{bugs.pk}-feedback"
    assert 'value="number:field_impact"' in html_of(page, url)
    response = page.post(url, form_of(guards_formulas="on"))
    made = DataPackage.objects.get()
    assert response.status_code == 302
    assert [each["name"] for each in made.columns] == ["title", "id"]
    assert made.owner == bugs and made.guards_formulas
    assert AuditEntry.objects.filter(
        object_type="feedback.datapackage", action="created"
    ).exists()


def test_external_data_that_is_typed_becomes_a_column(
    page: Client, bugs: FeedbackType
) -> None:
    typed = {"columns-external-0": "jira score", "columns-type-0": "number"}
    page.post(f"{LIST}add/?about=feedbacktype-{bugs.pk}-feedback", form_of(**typed))
    columns = DataPackage.objects.get().columns
    assert columns[-1] == {"name": "external_jira score", "type": "number"}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"columns": []}, "Choose between 1 and 200 columns."),
        ({"columns": ["text:field_gone"]}, "No form has this field any more."),
        ({"columns": ["rubbish"]}, "There is no such column."),
        ({"columns": ["text:\0"]}, "There is no such column."),
        ({"columns": ["integer:id"] * 2000}, "Choose between 1 and 200 columns."),
        ({"key": "Open Bugs"}, "Use small letters, digits and hyphens"),
        ({"format": "parquet"}, "Parquet is stored: choose how often"),
        ({"filter": "999"}, "Select a valid choice."),
        ({"columns-external-0": "$.x"}, "There is no such column."),
    ],
)
def test_what_is_wrong_is_said_beside_it(
    page: Client, bugs: FeedbackType, changes: dict[str, Any], sentence: str
) -> None:
    url = f"{LIST}add/?about=feedbacktype-{bugs.pk}-feedback"
    response = page.post(url, form_of(**changes))
    assert response.status_code == 200
    assert sentence in unescape(response.content.decode())
    assert not DataPackage.objects.exists()


def test_the_page_shows_the_first_rows_and_what_to_copy(
    page: Client, bugs: FeedbackType
) -> None:
    factories.ticket(bugs, title="Crash <b>")
    package = factories.package(bugs, "id", "title", key="all-bugs")
    html = html_of(page, f"{LIST}{package.pk}/change/")
    assert "<td>Crash &lt;b&gt;</td>" in html
    url = f"/data/{package.community_id}/all-bugs"
    assert f"{url}.csv</code>" in html and f"{url}.ndjson</code>" in html
    [sheets] = re.findall(r'id="sheets"[^>]*>(.*?)</pre>', html, re.DOTALL)
    assert f'{url}.csv?api_key=YOUR-API-KEY")' in unescape(sheets)
    assert f"{url}.csv" in html_of(page, f"{LIST}{package.pk}/change/")


def test_a_lost_column_is_named_and_can_be_taken_away(
    page: Client, bugs: FeedbackType
) -> None:
    package = factories.package(bugs, "id", "field_impact", key="open-bugs")
    bugs.form_fields.filter(key="impact").delete()
    html = unescape(html_of(page, f"{LIST}{package.pk}/change/"))
    assert "The column 'field_impact' can't be read: No form has this field" in html
    assert 'value="number:field_impact" checked' in html
    assert "Lost a part" in html_of(page, LIST)
    response = page.post(f"{LIST}{package.pk}/change/", form_of())
    assert response.status_code == 302
    package.refresh_from_db()
    assert [each["name"] for each in package.columns] == ["title", "id"]


def conditions(**condition: Any) -> dict[str, Any]:
    return {"match": "all", "conditions": [{"qualifier": "is", **condition}]}


@pytest.fixture
def many(bugs: FeedbackType) -> list[DataPackage]:
    """Whole ones and broken ones of every owner, by columns and by filters."""
    project, community = bugs.project, bugs.project.community
    ideas = FeedbackType.objects.create(project=project, name="Idea", prefix="IDEA")
    status = ideas.statuses.create(name="Parked", position=1)
    made = []
    for owner in (bugs, project, community):
        made.append(factories.package(owner, "id", "field_impact", "external_x"))
        made.append(factories.package(owner, "id", "state", what="deliveries"))
        lost = factories.package(owner, "id")
        lost.columns = [{"name": "field_gone", "type": "text"}]
        lost.save()
        retyped = factories.package(owner, "field_severity")
        retyped.columns = [{"name": "field_severity", "type": "number"}]
        retyped.save()
        made += [lost, retyped]
    for owner in (project, community):
        made.append(factories.package(owner, "id", "email", what="testers"))
    for owner in (bugs, project):
        for tree in (
            conditions(field="status", value=bugs.statuses.get(name="New").pk),
            conditions(field="status", value=status.pk),
            conditions(field="type", value=ideas.pk),
            conditions(field="type", value=10**9),
            conditions(field="project", value=project.pk),
            conditions(field="field_severity", value="Minor"),
            conditions(field="field_severity", value="Gone"),
            {"match": "any", "conditions": [conditions(field="title", value="x")]},
        ):
            saved = factories.saved_filter(owner, subject_kind="feedback")
            type(saved).objects.filter(pk=saved.pk).update(conditions=tree)
            package = factories.package(owner, "id")
            DataPackage.objects.filter(pk=package.pk).update(filter=saved)
            made.append(package)
    for tree in (
        conditions(field="project", value=project.pk),
        conditions(field="project", value=10**9),
        conditions(field="community", value=community.pk),
        conditions(field="score", value=3),
    ):
        saved = factories.saved_filter(community)
        type(saved).objects.filter(pk=saved.pk).update(conditions=tree)
        package = factories.package(project, "id", what="testers")
        DataPackage.objects.filter(pk=package.pk).update(filter=saved)
        made.append(package)
    return [DataPackage.objects.get(pk=each.pk) for each in made]


def test_the_list_knows_which_packages_are_broken_as_their_pages_do(
    many: list[DataPackage],
) -> None:
    expected = set()
    for package in many:
        try:
            opened(package)
        except PackageBroken:
            expected.add(package.pk)
    assert broken(many) == expected
    assert 10 < len(expected) < len(many) - 10


def test_the_list_asks_as_often_for_many_as_for_one(
    page: Client, bugs: FeedbackType, many: list[DataPackage]
) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert "Lost a part" in html_of(page, LIST)
        return len(queries)

    DataPackage.objects.exclude(pk__in=[each.pk for each in many[:25]]).delete()
    html_of(page, LIST)
    several = asked()
    # A column that is lost, and conditions on a status, a type and a project.
    keep = [many[number].pk for number in (2, 14, 16, 18)]
    DataPackage.objects.exclude(pk__in=keep).delete()
    assert asked() == several


def test_a_stored_package_is_made_at_once_and_on_request(
    page: Client, bugs: FeedbackType
) -> None:
    url = f"{LIST}add/?about=feedbacktype-{bugs.pk}-feedback"
    page.post(url, form_of(refresh_every="60", format="ndjson"))
    made = Snapshot.objects.get()
    assert made.state == SnapshotState.WAITING
    package = made.package
    make = f"{LIST}{package.pk}/make/"
    assert "It is being made already." in page.post(make, follow=True).content.decode()
    Snapshot.objects.update(state=SnapshotState.FAILED, problem="The disk is full.")
    assert "A worker makes it now." in page.post(make, follow=True).content.decode()
    assert Snapshot.objects.count() == 2
    assert "The disk is full." in html_of(page, f"{LIST}{package.pk}/change/")


def test_observers_look_at_it_and_change_nothing(bugs: FeedbackType) -> None:
    otto = Client()
    otto.force_login(factories.member(bugs, Role.OBSERVER, "otto"))
    package = factories.package(bugs, "id", refresh_every=60)
    html = html_of(otto, f"{LIST}{package.pk}/change/")
    assert "Make it now" not in html and "First rows" in html
    assert otto.post(f"{LIST}{package.pk}/make/").status_code == 403
    assert otto.get(f"{LIST}add/").status_code == 403
    nora = Client()
    ideas = factories.feedback_type("Ideas", "IDEA")
    nora.force_login(factories.member(ideas, Role.PROJECT_MANAGER, "nora"))
    assert nora.get(f"{LIST}{package.pk}/change/").status_code == 404
    assert nora.post(f"{LIST}{package.pk}/make/").status_code == 404


@pytest.mark.parametrize("what", ["feedback", "tester", "deliveries"])
def test_a_community_has_tables_of_each_kind(bugs: FeedbackType, what: str) -> None:
    olivia = Client()
    olivia.force_login(factories.superuser())
    factories.ticket(bugs, submitter=factories.tester(bugs))
    factories.run(factories.macro(bugs, "https://example.com/"))
    url = f"{LIST}add/?about=community-{bugs.project.community_id}-{what}"
    html = html_of(olivia, url)
    keys = re.findall(r'name="columns" value="([^"]+)" checked', html)
    assert len(keys) >= 7
    response = olivia.post(url, form_of(columns=keys))
    assert response.status_code == 302
    package = DataPackage.objects.get()
    assert "<td>" in html_of(olivia, f"{LIST}{package.pk}/change/")
