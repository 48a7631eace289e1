"""Data packages and record lookups in files and clones."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from feedback.access.roles import Role
from feedback.models import (
    DataPackage,
    FeedbackType,
    FormField,
    Project,
    RecordLookup,
    Snapshot,
)
from logs.models import AuditEntry
from macros import config
from macros.config import ConfigRefused, Existing
from tests import factories
from tests.macros.ways_in import without_switches

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    """A type and its project, each with packages and lookups of every kind."""
    bugs = factories.feedback_type()
    owner = bugs.project
    critical = factories.saved_filter(bugs, name="Critical")
    factories.package(
        bugs,
        *("id", "title", "field_severity", "external_jira_key"),
        name="Critical bugs",
        key="critical-bugs",
        filter=critical,
        refresh_every=60,
        format="parquet",
        guards_formulas=False,
    )
    factories.package(owner, "id", "email", what="testers", name="People", key="people")
    factories.package(owner, "id", "state", what="deliveries", name="Sent", key="sent")
    factories.lookup(bugs, "reference", "status", name="A bug", key="a-bug")
    factories.lookup(
        owner,
        *("id", "score"),
        subject_kind="tester",
        found_by="external",
        external_name="crm_id",
        name="A person",
        key="a-person",
    )
    everywhere = owner.community
    factories.package(everywhere, name="All", key="all")
    factories.lookup(everywhere, name="Any", key="any")
    return bugs


def another(of: FeedbackType) -> Project:
    """Where no name or key is taken, as it is of another community."""
    return factories.feedback_type("Idea", "IDEA").project


def rows(project: Project) -> dict[str, DataPackage | RecordLookup]:
    packages = DataPackage.objects.filter(project=project)
    lookups = RecordLookup.objects.filter(project=project)
    return {each.name: each for each in (*packages, *lookups)}


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_what_is_exported_is_imported_the_same_but_off(
    bugs: FeedbackType, form: str
) -> None:
    document = config.export_project(bugs.project)
    project = another(bugs)
    made = config.import_document(config.read(config.write(document, form)), project)
    assert "3 data packages, 2 record lookups" in made.in_words()
    by_name = rows(project)
    assert by_name.keys() == {"Critical bugs", "People", "Sent", "A bug", "A person"}
    assert not any(each.is_active for each in by_name.values())
    critical = by_name["Critical bugs"]
    assert isinstance(critical, DataPackage)
    assert critical.filter == made.types[0].filters.get()
    assert not Snapshot.objects.exists()
    again = config.export_project(project)
    del again["types"][1]
    assert without_switches(again) == without_switches(document)


def test_a_clone_has_names_and_keys_of_its_own(bugs: FeedbackType) -> None:
    actor = factories.superuser()
    clone = config.clone_project(bugs.project, "Watch Beta", actor)
    assert {name: each.key for name, each in rows(clone).items()} == {
        "Copy of Critical bugs": "critical-bugs-2",
        "Copy of People": "people-2",
        "Copy of Sent": "sent-2",
        "Copy of A bug": "a-bug-2",
        "Copy of A person": "a-person-2",
    }
    entries = AuditEntry.objects.filter(
        project=clone,
        action="created",
        object_type__in=["feedback.datapackage", "feedback.recordlookup"],
    )
    assert entries.count() == 5
    assert {each.actor_id for each in entries} == {actor.pk}


def test_the_preview_says_what_is_off_and_how_it_is_called(bugs: FeedbackType) -> None:
    document = config.export_project(bugs.project)
    project = Project.objects.create(community=bugs.project.community, name="New")
    planned = config.import_document(document, project, dry_run=True)
    name = "Data package Copy of Critical bugs"
    assert f"{name} is new, and off. Its key is critical-bugs-2." in planned.sentences
    assert not rows(project)


def test_what_becomes_of_a_name_that_is_taken(bugs: FeedbackType) -> None:
    document = config.export_project(bugs.project)
    document["types"][0]["packages"][0]["columns"] = ["id"]
    document["types"][0]["packages"][0]["key"] = "another-key"
    document["lookups"][0]["found_by"] = "email"
    before = rows(bugs.project)
    with pytest.raises(ConfigRefused, match="There is a data package 'People'"):
        config.import_document(document, bugs.project)
    config.import_document(document, bugs.project, existing=Existing.SKIP)
    assert {each.pk for each in rows(bugs.project).values()} == {
        each.pk for each in before.values()
    }
    assert len(DataPackage.objects.get(key="critical-bugs").columns) == 4
    made = config.import_document(document, bugs.project, existing=Existing.REPLACE)
    assert not made.packages and not made.lookups
    replaced = DataPackage.objects.get(key="critical-bugs")
    assert replaced.pk == before["Critical bugs"].pk and replaced.is_active
    assert [each["name"] for each in replaced.columns] == ["id"]
    assert Snapshot.objects.get().package == replaced
    person = RecordLookup.objects.get(key="a-person")
    assert (person.found_by, person.is_active) == ("email", True)
    made = config.import_document(document, bugs.project, existing=Existing.COPY)
    copied = next(each for each in made.packages if "Critical" in each.name)
    assert (copied.name, copied.key) == ("Copy of Critical bugs", "another-key")


def test_a_type_comes_with_its_own_and_with_their_filters(bugs: FeedbackType) -> None:
    wide = factories.saved_filter(bugs.project, name="Wide", subject_kind="feedback")
    DataPackage.objects.filter(key="critical-bugs").update(filter=wide)
    document = config.export_project(bugs.project, types=[bugs])
    [kind] = document["types"]
    assert [each["name"] for each in kind["packages"]] == ["Critical bugs"]
    assert [each["name"] for each in kind["lookups"]] == ["A bug"]
    assert [each["name"] for each in document["filters"]] == ["Wide"]
    assert document["packages"] == document["lookups"] == []
    macro = factories.macro(bugs, "https://example.com/")
    document = config.export_project(bugs.project, macros=[macro])
    assert not {"packages", "lookups"} & document["types"][0].keys()


@pytest.mark.parametrize("key", ["critical-bugs", "a-bug"])
def test_what_has_lost_a_part_is_in_no_file(bugs: FeedbackType, key: str) -> None:
    model: Any = DataPackage if key == "critical-bugs" else RecordLookup
    lost = [{"name": "field_gone", "type": "text"}]
    model.objects.filter(key=key).update(columns=lost)
    with pytest.raises(ConfigRefused, match="has lost a part.*field_gone"):
        config.export_project(bugs.project)


WRONG = {
    "packages.0.columns": (["titel"], "packages[0].columns: The column 'titel'"),
    "packages.0.columns.0": ({}, "packages[0].columns: "),
    "packages.1.columns": ("id", "packages[1].columns: This must be a list"),
    "packages.0.what": ("macros", "packages[0].what: "),
    "packages.0.refresh_every": (7, "packages[0].refresh_every: "),
    "packages.0.key": ("Open Bugs", "packages[0].key: Use small letters"),
    "packages.0.filter": ("Gone", "packages[0].filter: There is no filter 'Gone'"),
    "packages.0.titel": (1, "packages[0].titel: Unknown member."),
    "packages": ({}, "packages: This must be a list"),
    "lookups.0.subject_kind": ("macro", "lookups[0].subject_kind: This must be one of"),
    "lookups.0.found_by": ("reference", "lookups[0].found_by: No tester is found by"),
    "lookups.0.columns": (["reference"], "lookups[0].columns: The column"),
    "lookups.0": (3, "lookups[0]: This must be a group of members"),
}


@pytest.mark.parametrize("path", WRONG)
def test_mistakes_are_named_and_nothing_is_made(bugs: FeedbackType, path: str) -> None:
    document = json.loads(json.dumps(config.export_project(bugs.project)))
    value, sentence = WRONG[path]
    at: Any = document
    *steps, last = [int(n) if n.isdecimal() else n for n in path.split(".")]
    for step in steps:
        at = at[step]
    at[last] = value
    project = another(bugs)
    with pytest.raises(ConfigRefused) as refusal:
        config.import_document(document, project)
    assert sentence in str(refusal.value)
    assert not rows(project)


def test_who_may_not_add_them_imports_none(bugs: FeedbackType) -> None:
    document = config.export_project(bugs.project)
    project = another(bugs)
    support = factories.member(project.feedback_types.get(), Role.SUPPORT, "sam")
    with pytest.raises((PermissionDenied, ConfigRefused)):
        config.import_document(document, project, actor=support)
    assert not rows(project)


def test_many_columns_are_no_rows_of_the_file(bugs: FeedbackType) -> None:
    question = {"kind": "text", "feedback_type": bugs}
    for number in range(190):
        FormField.objects.create(
            label=f"Q{number}", key=f"q{number}", position=number, **question
        )
    columns = [f"field_q{number}" for number in range(190)]
    for number in range(12):
        factories.package(bugs, *columns, name=f"Wide {number}", key=f"wide-{number}")
    clone = config.clone_project(bugs.project, "Watch Beta", factories.superuser())
    assert DataPackage.objects.filter(project=clone).count() == 15
