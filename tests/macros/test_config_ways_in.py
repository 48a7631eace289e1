"""Listeners and external sources in files and clones."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from feedback.access.roles import Role
from feedback.models import ExternalSource, FeedbackType, Project
from logs.models import AuditEntry
from macros import config
from macros.config import ConfigRefused, Existing, SecretsMissing
from macros.models import (
    Listener,
    ListenerCheck,
    ListenerKey,
    Scheme,
)
from tests import factories
from tests.macros.ways_in import without_switches

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    """A type with a listener and a source, and a project with a listener."""
    bugs = factories.feedback_type()
    factories.secret(bugs, "Jira webhook")
    macro = factories.macro(bugs, "https://example.com/", name="To Slack")
    wide = factories.saved_filter(bugs, name="Open ones")
    factories.listener(
        bugs,
        {"kind": "status", "value": "((Payload: $.s))", "value_map": "Done -> Closed"},
        {"kind": "run", "macro": macro},
        secret="Jira webhook",
        scheme=Scheme.ATLASSIAN,
        name="From Jira",
        filter=wide,
        record_by="external",
        record_external="jira_key",
        record_at="$.issue.key",
        id_at="header: X-Atlassian-Webhook-Identifier",
    )
    named = factories.listener(
        bugs.project,
        {"kind": "run", "macro": macro},
        name="For all",
        record_by="reference",
        record_at="$.reference",
    )
    key, _ = factories.api_key(
        bugs.project.community, name="Zapier", scope_listener=True
    )
    ListenerCheck.objects.create(listener=named, scheme=Scheme.API_KEY, api_key=key)
    factories.source(bugs, name="Crashes", default_status=bugs.statuses.get(name="New"))
    return bugs


def another(of: FeedbackType, name: str = "Watch Beta") -> Project:
    return Project.objects.create(community=of.project.community, name=name)


def test_a_file_names_all_and_holds_no_key(bugs: FeedbackType) -> None:
    submitter = factories.tester(bugs)
    bugs.sources.update(default_submitter=submitter)
    document = config.export_project(bugs.project)
    text = json.dumps(document)
    keys = [
        *ListenerKey.objects.values_list("key", flat=True),
        ExternalSource.objects.get().key,
    ]
    assert len(keys) == 3
    assert not [key for key in keys if key in text]
    assert "hunter2" not in text and submitter.email not in text
    [heard], [source] = (
        document["types"][0]["listeners"],
        document["types"][0]["sources"],
    )
    assert (heard["filter"], heard["filter_of"]) == ("Open ones", "type")
    assert heard["checks"][0]["secret"] == "jira_webhook"
    assert heard["actions"][1]["macro"] == "To Slack"
    assert heard["actions"][1]["macro_of"] == "type"
    assert source["default_status"] == "New"
    [wide] = document["listeners"]
    assert wide["actions"][0]["macro"] == {"type": "Bug Report", "macro": "To Slack"}
    assert wide["checks"][0]["api_key"] == "Zapier"
    assert document["secrets"] == [{"name": "jira_webhook", "hosts": []}]


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_what_is_exported_is_imported_the_same_but_off(
    bugs: FeedbackType, form: str
) -> None:
    document = config.export_project(bugs.project)
    project = another(bugs)
    made = config.import_document(config.read(config.write(document, form)), project)
    assert "2 listeners, 1 external source" in made.in_words()
    heard = Listener.objects.get(project=project, name="From Jira")
    [kind] = made.types
    assert heard.feedback_type == kind and heard.filter == kind.filters.get()
    assert heard.actions.get(kind="run").macro == kind.macros.get()
    wide = Listener.objects.get(project=project, name="For all")
    assert wide.actions.get().macro == kind.macros.get()
    source = ExternalSource.objects.get(feedback_type=kind)
    assert source.default_status == kind.statuses.get(name="New")
    assert not (heard.is_active or wide.is_active or source.is_active)
    again = config.export_project(project)
    assert without_switches(again) == without_switches(document)


def test_a_copy_has_a_key_of_its_own(bugs: FeedbackType) -> None:
    keys = set(ListenerKey.objects.values_list("key", flat=True))
    config.clone_project(bugs.project, "Watch Beta", factories.superuser())
    config.import_document(
        config.export_project(bugs.project), bugs.project, existing=Existing.COPY
    )
    after = list(ListenerKey.objects.values_list("key", flat=True))
    assert len(after) == len(set(after)) == 6 and keys < set(after)
    sources = ExternalSource.objects.values_list("key", "is_active")
    assert len({key for key, _ in sources}) == 3
    assert sorted(is_on for _, is_on in sources) == [False, False, True]
    on = Listener.objects.filter(is_active=True)
    assert {each.name for each in on} == {"From Jira", "For all"}
    copied = Listener.objects.get(name="Copy of From Jira").actions.get(kind="run")
    assert copied.macro is not None and copied.macro.name == "Copy of To Slack"


@pytest.mark.parametrize("existing", [Existing.SKIP, Existing.REPLACE])
def test_what_is_replaced_keeps_its_address_and_its_switch(
    bugs: FeedbackType, existing: Existing
) -> None:
    document = config.export_project(bugs.project)
    heard, source = Listener.objects.get(name="From Jira"), bugs.sources.get()
    source.default_submitter = factories.tester(bugs)
    source.save()
    kind = document["types"][0]
    kind["listeners"][0]["method"] = "PUT"
    kind["listeners"][0]["actions"] = [{"kind": "comment", "value": "Heard."}]
    kind["sources"][0]["makes_testers"] = True
    made = config.import_document(document, bugs.project, existing=existing)
    replaced = existing == Existing.REPLACE
    after = Listener.objects.get(name="From Jira")
    assert (after.pk, after.key, after.is_active) == (heard.pk, heard.key, True)
    assert after.method == ("PUT" if replaced else "POST")
    assert after.actions.count() == (1 if replaced else 2)
    stored = bugs.sources.get()
    assert (stored.key, stored.is_active) == (source.key, True)
    assert stored.default_submitter == source.default_submitter
    assert stored.makes_testers is replaced
    state = "is replaced" if replaced else "exists already and stays as it is"
    sentences = "\n".join(made.sentences)
    assert f"Listener From Jira {state}." in sentences
    assert f"External source Crashes {state}." in sentences


def test_the_value_of_a_signing_secret_is_asked_for(bugs: FeedbackType) -> None:
    document = config.export_project(bugs.project)
    elsewhere = factories.feedback_type()
    factories.api_key(elsewhere.project.community, name="Zapier", scope_listener=True)
    elsewhere.delete()
    with pytest.raises(SecretsMissing) as refused:
        config.import_document(document, elsewhere.project)
    assert refused.value.names == ["jira_webhook"]
    values = {"jira_webhook": "another-value"}
    config.import_document(document, elsewhere.project, secrets=values)
    check = ListenerCheck.objects.get(
        listener__project=elsewhere.project, scheme="atlassian"
    )
    assert check.secret is not None and check.secret.reveal() == "another-value"


def change(document: Any, path: str, value: object) -> None:
    *way, last = (int(each) if each.isdigit() else each for each in path.split("/"))
    for step in way:
        document = document[step]
    document[last] = value


OF_TYPE, SOURCE = "types/0/listeners/0", "types/0/sources/0"
CASES: list[tuple[str, object, str]] = [
    (OF_TYPE, "x", "This must be a group of members, and is text."),
    (f"{OF_TYPE}/nmae", "x", "Unknown member. Did you mean name?"),
    (f"{OF_TYPE}/key", "stolen", "Unknown member."),
    (f"{OF_TYPE}/name", "", ""),
    (f"{OF_TYPE}/name", 5, "This must be text, and is a number."),
    (f"{OF_TYPE}/method", "GET", "Value 'GET' is not a valid choice."),
    (f"{OF_TYPE}/repeat_seconds", -1, ""),
    (f"{OF_TYPE}/repeat_seconds", 2_592_001, "Give at most 2,592,000 seconds"),
    (f"{OF_TYPE}/subject_kind", "house", "Value 'house' is not a valid choice."),
    (f"{OF_TYPE}/allowed_ips", "1.2.3", ""),
    (f"{OF_TYPE}/record_at", "issue.key", "Give a JSONPath, a header or"),
    (f"{OF_TYPE}/checks", [], "Say who may call"),
    (f"{OF_TYPE}/actions/0/value_map", "Done -> Gone", "Gone"),
    (f"{OF_TYPE}/actions/0/value", "((Payload: x))", "Give a JSONPath"),
    (f"{OF_TYPE}/filter", "Gone", "There is no filter 'Gone' of the type."),
    (f"{OF_TYPE}/filter_of", "moon", "This must be one of type, project, community."),
    (f"{OF_TYPE}/checks", "x", "This must be a list, and is text."),
    (f"{OF_TYPE}/checks/0", ["x"], "This must be a group of members, and is a list."),
    (f"{OF_TYPE}/checks/0/scheme", "magic", "Value 'magic' is not a valid choice."),
    (f"{OF_TYPE}/checks/0/secret", ["x"], "There is no secret '['x']'."),
    (f"{OF_TYPE}/checks/0/api_key", "No", "There is no one API key 'No' of"),
    (f"{OF_TYPE}/checks/0/macro", "x", "Unknown member."),
    (f"{OF_TYPE}/actions/0/kind", "explode", "Value 'explode' is not a valid choice."),
    (f"{OF_TYPE}/actions/1/macro", "Gone", "There is no macro 'Gone' of the type."),
    (f"{OF_TYPE}/actions/1/macro", 7, "This must be a macro's name"),
    (f"{OF_TYPE}/actions/1/macro", {"type": 1, "macro": []}, "This must be a macro's"),
    (f"{OF_TYPE}/actions/1/macro_of", "moon", "This must be one of type, project"),
    (f"{OF_TYPE}/actions/1", {"kind": "run"}, ".macro: This action needs it."),
    (f"{SOURCE}/default_status", "Gone", "There is no status 'Gone'."),
    (f"{SOURCE}/default_status", {}, "There is no status '{}'."),
    (f"{SOURCE}/key", "stolen", "Unknown member."),
    (f"{SOURCE}/default_submitter", "a@example.com", "Unknown member."),
    (f"{SOURCE}/makes_testers", "yes", "This must be true or false, and is text."),
    (SOURCE, None, "This must be a group of members, and is empty."),
    ("types/0/sources", {}, "This must be a list, and is a group of members."),
    ("listeners/0/actions/0/macro/type", "Gone", "There is no macro 'To Slack' of"),
    ("listeners/0/actions/0/macro/x", "Gone", "This must be a macro's name"),
    ("listeners", 3, "This must be a list, and is a number."),
]


@pytest.mark.parametrize(("path", "value", "problem"), CASES)
def test_a_mistake_is_named_by_its_member(
    bugs: FeedbackType, path: str, value: object, problem: str
) -> None:
    document = config.export_project(bugs.project)
    change(document, path, value)
    with pytest.raises(ConfigRefused) as refused:
        config.import_document(document, another(bugs))
    parts = path.replace("/macro/type", "/macro").replace("/macro/x", "/macro")
    where = "".join(
        f"[{each}]" if each.isdigit() else f".{each}" for each in parts.split("/")
    )[1:]
    problems = [each for each in refused.value.problems if each.startswith(where)]
    assert any(problem in each for each in problems), refused.value.problems
    assert Listener.objects.count() == 2 and ExternalSource.objects.count() == 1


def test_a_listener_that_lost_its_macro_is_in_no_file(bugs: FeedbackType) -> None:
    Listener.objects.get(name="For all").delete()
    bugs.macros.get().delete()
    with pytest.raises(ConfigRefused, match="The listener From Jira has lost the macr"):
        config.export_project(bugs.project)


def test_only_what_is_named_is_exported(bugs: FeedbackType) -> None:
    of_type = config.export_project(bugs.project, types=[bugs])
    assert of_type["listeners"] == [] and len(of_type["types"][0]["listeners"]) == 1
    one_macro = config.export_project(bugs.project, macros=[bugs.macros.get()])
    assert one_macro["listeners"] == [] and "listeners" not in one_macro["types"][0]
    Listener.objects.filter(name="From Jira").update(
        filter=factories.saved_filter(
            bugs.project, name="Wide", subject_kind="feedback"
        )
    )
    taken = config.export_project(bugs.project, types=[bugs])
    assert [each["name"] for each in taken["filters"]] == ["Wide"]


def test_a_secret_that_somebody_wrote_out_is_masked(bugs: FeedbackType) -> None:
    Listener.objects.update(description="Signed with hunter2-hunter2, as agreed.")
    assert "hunter2" not in config.write(config.export_project(bugs.project), "yaml")


def test_each_is_in_the_audit_log(bugs: FeedbackType) -> None:
    user = factories.superuser()
    config.import_document(
        config.export_project(bugs.project), another(bugs), actor=user
    )
    entries = AuditEntry.objects.filter(actor_name="olivia", detail="Imported.")
    by_type = {each.object_type: each for each in entries}
    assert {"macros.listener", "feedback.externalsource"} <= set(by_type)
    [entry] = [each for each in entries if each.object_name == "From Jira"]
    assert entry.changes["action Set the status"] == ["", "added"]


def test_whoever_may_not_add_them_imports_none(bugs: FeedbackType) -> None:
    watcher, copy = factories.member(bugs, Role.SUPPORT), Existing.COPY
    document = config.export_project(bugs.project)
    document["types"] = []
    document["listeners"][0]["actions"] = [{"kind": "comment", "value": "Heard."}]
    document["listeners"][0]["checks"] = [{"scheme": "api_key"}]
    with pytest.raises(PermissionDenied):
        config.import_document(document, bugs.project, actor=watcher, existing=copy)


def test_a_secret_or_key_that_one_may_not_see_is_not_taken(bugs: FeedbackType) -> None:
    role, copy = Role.PROJECT_MANAGER, Existing.COPY
    actor = factories.member(bugs, role, in_project=True)
    document = config.export_project(bugs.project)
    with pytest.raises(ConfigRefused) as refused:
        config.import_document(document, bugs.project, actor=actor, existing=copy)
    assert [each.partition(": ")[2] for each in refused.value.problems] == [
        "There is no secret 'jira_webhook'.",
        "There is no one API key 'Zapier' of the community. Make it first.",
    ]
