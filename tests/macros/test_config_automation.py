"""Filters, triggers and schedules in files and clones."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from feedback.access.roles import Role
from feedback.models import FeedbackType, Filter, Project
from logs.models import AuditEntry
from macros import config
from macros.config import ConfigRefused, Existing
from macros.models import Event, Macro, Rate, Schedule, Trigger
from tests import factories

pytestmark = pytest.mark.django_db


def condition(field: str, value: Any, qualifier: str = "is") -> dict[str, Any]:
    return {"field": field, "qualifier": qualifier, "value": value}


@pytest.fixture
def bugs() -> FeedbackType:
    """A type with filters of its own and of its project, and what runs by them."""
    bugs = factories.feedback_type()
    new, closed = bugs.statuses.all()
    critical = condition("field_severity", "Critical")
    either = {
        "match": "any",
        "conditions": [condition("status", [closed.pk], "is_one_of")],
    }
    chosen = factories.saved_filter(
        bugs, condition("status", new.pk), critical, either, name="Critical ones"
    )
    wide = factories.saved_filter(
        bugs.project,
        condition("type", bugs.pk),
        condition("status", new.pk),
        name="New anywhere",
        subject_kind="feedback",
    )
    macro = factories.macro(bugs, "https://example.com/", name="To Slack")
    details = {"from_status": new.pk, "to_status": closed.pk}
    factories.trigger(
        macro,
        Event.STATUS_CHANGED,
        name="When closed",
        filter=chosen,
        event_details=details,
    )
    factories.schedule(macro, name="Nightly", filter=wide, at=time(2, 30))
    users = factories.macro(bugs.project, "https://example.com/", name="Check")
    here = factories.saved_filter(
        bugs.project, condition("project", bugs.project.pk), name="Everybody"
    )
    factories.schedule(
        users, name="Weekly", filter=here, weekdays="1", rate=Rate.WEEKLY
    )
    return bugs


def another(of: FeedbackType, name: str = "Watch Beta") -> Project:
    return Project.objects.create(community=of.project.community, name=name)


def first_type(document: Any) -> Any:
    return document["types"][0]


def test_a_file_names_what_a_database_knows_by_key(bugs: FeedbackType) -> None:
    document = config.export_project(bugs.project)
    [chosen] = first_type(document)["filters"]
    assert chosen["conditions"]["conditions"] == [
        condition("status", "New"),
        condition("field_severity", "Critical"),
        {"match": "any", "conditions": [condition("status", ["Closed"], "is_one_of")]},
    ]
    named = {each["name"]: each for each in document["filters"]}
    assert set(named) == {"New anywhere", "Everybody"}
    assert named["New anywhere"]["conditions"]["conditions"] == [
        condition("type", "Bug Report"),
        condition("status", {"type": "Bug Report", "status": "New"}),
    ]
    [macro] = first_type(document)["macros"]
    [trigger], [schedule] = macro["triggers"], macro["schedules"]
    assert (trigger["filter"], trigger["filter_of"]) == ("Critical ones", "type")
    assert trigger["event_details"] == {"from_status": "New", "to_status": "Closed"}
    assert (schedule["filter"], schedule["filter_of"]) == ("New anywhere", "project")
    assert schedule["at"] == "02:30:00"


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_what_is_exported_is_imported_with_the_new_keys(
    bugs: FeedbackType, form: str
) -> None:
    text = config.write(config.export_project(bugs.project), form)
    project = another(bugs)
    made = config.import_document(config.read(text), project)
    [kind] = made.types
    new, closed = kind.statuses.all()
    chosen = kind.filters.get()
    rows = chosen.conditions["conditions"]
    assert rows[0]["value"] == new.pk
    assert rows[2]["conditions"][0]["value"] == [closed.pk]
    wide = Filter.objects.get(project=project, name="New anywhere")
    assert [each["value"] for each in wide.conditions["conditions"]] == [
        kind.pk,
        new.pk,
    ]
    here = Filter.objects.get(project=project, name="Everybody")
    assert here.conditions["conditions"][0]["value"] == project.pk
    trigger = Trigger.objects.get(project=project)
    assert trigger.filter == chosen and trigger.is_active
    assert trigger.event_details == {"from_status": new.pk, "to_status": closed.pk}
    schedules = {each.name: each for each in Schedule.objects.filter(project=project)}
    assert schedules["Nightly"].filter == wide
    assert schedules["Nightly"].at == time(2, 30)
    assert schedules["Weekly"].filter == here


def test_a_clone_brings_schedules_off_and_triggers_as_they_are(
    bugs: FeedbackType,
) -> None:
    off = factories.trigger(bugs.macros.get(), name="Resting", is_active=False)
    clone = config.clone_project(bugs.project, "Watch Beta", factories.superuser())
    schedules = Schedule.objects.filter(project=clone)
    assert [each.is_active for each in schedules] == [False, False]
    triggers = {
        each.name: each.is_active for each in Trigger.objects.filter(project=clone)
    }
    assert triggers == {"When closed": True, off.name: False}
    assert Schedule.objects.filter(project=bugs.project, is_active=True).count() == 2


def test_a_broken_filter_is_in_no_file(bugs: FeedbackType) -> None:
    bugs.statuses.get(name="Closed").delete()
    with pytest.raises(ConfigRefused) as refused:
        config.export_project(bugs.project)
    assert refused.value.problems == [
        "The filter Critical ones has lost a status that it speaks of"
        " (conditions.conditions[2].conditions[0].value[0]), so it matches nothing."
        " Mend or delete it, then export again."
    ]


def test_a_trigger_that_lost_its_status_is_in_no_file(bugs: FeedbackType) -> None:
    Trigger.objects.update(filter=None)
    Filter.objects.filter(feedback_type=bugs).delete()
    bugs.statuses.get(name="Closed").delete()
    with pytest.raises(ConfigRefused, match="The trigger When closed of To Slack has"):
        config.export_project(bugs.project)


def test_one_macro_takes_the_filters_along_that_it_needs(bugs: FeedbackType) -> None:
    factories.saved_filter(bugs, name="Not used")
    document = config.export_project(bugs.project, macros=[bugs.macros.get()])
    assert [each["name"] for each in first_type(document)["filters"]] == [
        "Critical ones"
    ]
    assert [each["name"] for each in document["filters"]] == ["New anywhere"]
    whole = config.export_project(bugs.project, types=[bugs])
    assert [each["name"] for each in first_type(whole)["filters"]] == [
        "Critical ones",
        "Not used",
    ]
    assert [each["name"] for each in whole["filters"]] == ["New anywhere"]


def change(document: Any, path: str, value: object) -> None:
    *way, last = (int(each) if each.isdigit() else each for each in path.split("/"))
    for step in way:
        document = document[step]
    document[last] = value


CASES: list[tuple[str, object, str]] = [
    (
        "types/0/filters/0/conditions/conditions/0/value",
        "Neww",
        "types[0].filters[0].conditions.conditions[0].value: There is no status 'Neww'",
    ),
    (
        "types/0/filters/0/conditions/conditions/0/value",
        3,
        "types[0].filters[0].conditions.conditions[0].value: There is no status '3'",
    ),
    (
        "types/0/filters/0/nmae",
        "x",
        "types[0].filters[0].nmae: Unknown member. Did you mean name?",
    ),
    ("types/0/filters/0/name", "", "types[0].filters[0].name: "),
    ("filters/0/conditions", "x", "filters[0].conditions: This must be a list"),
    ("types/0/filters", "x", "types[0].filters: This must be a list, and is text."),
    (
        "types/0/macros/0/triggers/0/filter",
        "Gone",
        "types[0].macros[0].triggers[0].filter: There is no filter 'Gone' of the type.",
    ),
    (
        "types/0/macros/0/triggers/0/filter",
        ["x"],
        "types[0].macros[0].triggers[0].filter: This must be a filter's name.",
    ),
    (
        "types/0/macros/0/triggers/0/filter_of",
        "world",
        "types[0].macros[0].triggers[0].filter_of: This must be one of type, project",
    ),
    (
        "types/0/macros/0/triggers/0/event",
        "explosion",
        "types[0].macros[0].triggers[0].event: ",
    ),
    (
        "types/0/macros/0/triggers/0/event_details",
        {"to_status": "Shut"},
        "types[0].macros[0].triggers[0].event_details.to_status: There is no status",
    ),
    (
        "types/0/macros/0/triggers/0/event_details",
        {"to_status": 3},
        "types[0].macros[0].triggers[0].event_details.to_status: This must be text.",
    ),
    (
        "types/0/macros/0/triggers/0/event_details",
        {"score": 3},
        "types[0].macros[0].triggers[0].event_details.score: This event takes no such",
    ),
    (
        "types/0/macros/0/triggers/0/event_details",
        ["x"],
        "types[0].macros[0].triggers[0].event_details: This must be a group",
    ),
    (
        "types/0/macros/0/triggers/0",
        {"name": "x", "event": "field_changed", "event_details": {"field": "odd"}},
        "types[0].macros[0].triggers[0].event_details.field: There is no field 'odd'.",
    ),
    (
        "types/0/macros/0/triggers/0",
        {"name": "x", "event": "field_changed"},
        "types[0].macros[0].triggers[0].event_details.field: This event needs it.",
    ),
    (
        "types/0/macros/0/triggers/0",
        {"name": "x", "event": "tester_added"},
        "types[0].macros[0].triggers[0].event: The macro runs on tickets, and this",
    ),
    (
        "user_macros/0/triggers",
        [{"name": "x", "event": "score_crossed", "event_details": {"score": "9"}}],
        "user_macros[0].triggers[0].event_details.score: This must be a whole number.",
    ),
    (
        "types/0/macros/0/triggers/0/limit",
        0,
        "types[0].macros[0].triggers[0].limit: ",
    ),
    (
        "types/0/macros/0/schedules/0/start_at",
        "2026-11-23T09:30:00",
        "types[0].macros[0].schedules[0].start_at: Give the moment with its zone",
    ),
    (
        "types/0/macros/0/schedules/0/start_at",
        "never",
        "types[0].macros[0].schedules[0].start_at: ",
    ),
    (
        "types/0/macros/0/schedules/0/rate",
        "sometimes",
        "types[0].macros[0].schedules[0].rate: ",
    ),
    ("types/0/macros/0/schedules", {}, "types[0].macros[0].schedules: This must be a"),
    (
        "user_macros/0/schedules/0/filter",
        "Gone",
        "user_macros[0].schedules[0].filter: ",
    ),
]


@pytest.mark.parametrize(("path", "value", "problem"), CASES)
def test_a_mistake_is_named_by_its_member(
    bugs: FeedbackType, path: str, value: object, problem: str
) -> None:
    document = config.export_project(bugs.project)
    change(document, path, value)
    with pytest.raises(ConfigRefused) as refused:
        config.import_document(document, another(bugs))
    assert any(each.startswith(problem) for each in refused.value.problems), (
        refused.value.problems
    )
    assert Filter.objects.count() == 3


def names_of(project: Project) -> dict[str, list[str]]:
    return {
        each.__name__: sorted(
            each._default_manager.filter(project=project).values_list("name", flat=True)
        )
        for each in (Filter, Macro, Trigger, Schedule)
    }


@pytest.mark.parametrize("existing", [*Existing])
def test_names_that_are_taken_are_dealt_with_as_chosen(
    bugs: FeedbackType, existing: Existing
) -> None:
    document = config.export_project(bugs.project)
    before = names_of(bugs.project)
    change(document, "types/0/filters/0/conditions/match", "any")
    change(document, "types/0/macros/0/schedules/0/every", 2)
    if existing == Existing.REFUSE:
        with pytest.raises(ConfigRefused) as refused:
            config.import_document(document, bugs.project, existing=existing)
        assert any("has a type" in each for each in refused.value.problems)
        return
    config.import_document(document, bugs.project, existing=existing)
    after, chosen = names_of(bugs.project), bugs.filters.get(name="Critical ones")
    if existing == Existing.COPY:
        copy = bugs.filters.get(name="Copy of Critical ones")
        assert (chosen.conditions["match"], copy.conditions["match"]) == ("all", "any")
        copied = Trigger.objects.get(macro__name="Copy of To Slack")
        assert copied.filter == copy
        # What is alike is there once.
        assert after["Filter"] == sorted([*before["Filter"], copy.name])
        return
    assert after == before
    replaced = existing == Existing.REPLACE
    assert chosen.conditions["match"] == ("any" if replaced else "all")
    schedule = Schedule.objects.get(name="Nightly")
    assert (schedule.every, schedule.is_active) == (2 if replaced else 1, True)


def test_the_preview_says_what_will_run_by_itself(bugs: FeedbackType) -> None:
    document = config.export_project(bugs.project)
    made = config.import_document(document, another(bugs), dry_run=True)
    assert {
        "Filter Critical ones (tickets of Watch Beta: Bug Report) is new.",
        "Trigger When closed of To Slack is new.",
        "Schedule Nightly of To Slack is new, and off.",
    } <= set(made.sentences)
    assert "3 filters, 2 macros, 1 trigger, 2 schedules" in made.in_words()
    assert Trigger.objects.count() == 1


def test_each_row_is_in_the_audit_log(bugs: FeedbackType) -> None:
    user: User = factories.superuser()
    document = config.export_project(bugs.project)
    config.import_document(document, another(bugs), actor=user)
    kinds = AuditEntry.objects.filter(actor_name="olivia", detail="Imported.")
    types = set(kinds.values_list("object_type", flat=True))
    assert {"feedback.filter", "macros.trigger", "macros.schedule"} <= types


def test_whoever_may_not_add_them_imports_none(bugs: FeedbackType) -> None:
    watcher = factories.member(bugs, Role.OBSERVER)
    document = config.export_project(bugs.project)
    document["types"] = document["user_macros"] = []
    document["filters"] = [
        each for each in document["filters"] if each["name"] == "Everybody"
    ]
    with pytest.raises(PermissionDenied):
        config.import_document(document, another(bugs), actor=watcher)


def test_a_file_without_them_stays_readable(bugs: FeedbackType) -> None:
    document = config.export_project(bugs.project)
    del document["filters"], first_type(document)["filters"]
    for macro in (first_type(document)["macros"][0], document["user_macros"][0]):
        del macro["triggers"], macro["schedules"]
    made = config.import_document(document, another(bugs))
    assert len(made.macros) == 2 and not made.filters


def test_a_filter_of_the_community_is_found_by_its_name(bugs: FeedbackType) -> None:
    macro = bugs.project.macros.get(feedback_type=None)
    whole = factories.saved_filter(bugs.project.community, name="Everybody")
    factories.schedule(macro, name="All", filter=whole, start_at=timezone.now())
    clone = config.clone_project(bugs.project, "Watch Beta", factories.superuser())
    assert Schedule.objects.get(project=clone, name="All").filter == whole
    assert Schedule.objects.get(project=clone, name="Weekly").filter != whole


def test_a_moment_of_a_zone_that_nobody_has_is_read_all_the_same(
    bugs: FeedbackType,
) -> None:
    """PostgreSQL itself takes no offset of 16 hours or more."""
    document = config.export_project(bugs.project)
    path = "types/0/macros/0/schedules/0/start_at"
    change(document, path, "2026-11-23T09:30:00+16:30")
    project = another(bugs)
    config.import_document(document, project)
    rows = Schedule.objects.filter(macro__feedback_type__project=project)
    row = rows.get(start_at__year=2026, start_at__month=11, start_at__day=22)
    assert row.start_at == datetime(2026, 11, 22, 17, tzinfo=UTC)
