"""A dry run says what a call would do and does nothing; a replay does it again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.apps import apps

from macros.listeners import work
from macros.listeners.dry_run import dry_run
from macros.listeners.replay import ReplayRefused, replay
from macros.models import InboundCall
from tests import factories

from .calling import call, status_listener

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs():
    return factories.feedback_type()


@pytest.fixture
def bug(bugs):
    return factories.ticket(bugs, external_data={"jira_key": "NW-41"})


def everything() -> dict[str, list[Any]]:
    """All rows of all models of ours."""
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values())
        for model in apps.get_models()
        if model._meta.app_label in ("feedback", "macros", "logs")
    }


def test_a_dry_run_says_what_would_happen_and_changes_nothing(bugs, bug):
    macro = factories.macro(bugs, "https://example.com/", name="Tell")
    factories.trigger(macro, "modified", follows_automation=True)
    listener = status_listener(bugs, events_at="$", id_at="$.id", name_at="$.name")
    listener.actions.create(position=1, kind="comment", value="Seen")
    listener.actions.create(position=2, kind="run", macro=macro)
    data = [
        {"id": 1, "name": "moved", "key": "NW-41", "status": "Done"},
        {"id": 2, "key": "NW-42"},
    ]
    stored = factories.inbound_call(listener, json.dumps(data).encode())
    before = everything()
    previews = dry_run(listener, stored)
    assert everything() == before
    first, second = previews
    assert (first.position, first.name, first.outcome) == (0, "moved", "acted")
    assert first.changes == [
        "Status changed from New to Closed.",
        "Comment added: Seen",
    ]
    assert (first.macros, first.record) == (["Tell"], bug.reference)
    assert second.outcome_label == "Nothing to act on"
    assert second.detail == "No ticket has jira_key = NW-42 ($.key)."


def test_a_dry_run_of_what_acted_before_is_like_the_first(bugs, bug):
    listener = status_listener(bugs, id_at="$.id", is_active=False)
    stored = factories.inbound_call(
        listener, b'{"id": 1, "key": "NW-41", "status": "Done"}'
    )
    for _ in range(2):
        [preview] = dry_run(listener, stored)
        assert preview.changes == ["Status changed from New to Closed."]


def test_a_dry_run_of_a_call_that_is_not_stored(bugs, bug):
    listener = status_listener(bugs)
    draft = InboundCall(listener=listener, method="POST", body=b"{")
    [preview] = dry_run(listener, draft)
    assert preview.outcome == "unreadable" and preview.detail


def test_a_dry_run_of_what_would_be_created(bugs):
    listener = factories.listener(bugs, {"kind": "create", "value": "title: x"})
    [preview] = dry_run(listener, factories.inbound_call(listener))
    assert preview.changes == ["BUG-1 was created."] and preview.record == "BUG-1"
    bugs.refresh_from_db()
    assert bugs.last_number == 0


def test_a_person_may_have_done_again_what_acted_before(bugs, bug):
    listener = status_listener(bugs, id_at="$.id")
    first = call(listener, {"id": 1, "key": "NW-41", "status": "Done"})
    bug.status = bugs.first_status()
    bug.save()
    actor = factories.superuser()
    assert replay(InboundCall.objects.filter(pk=first.call_id), actor=actor) == 1
    work.hear(listener.pk)
    again = InboundCall.objects.get(replay_of=first.call)
    event = again.events.get()
    assert again.replayed_by == "olivia" and event.outcome == "acted"
    assert event.changes == "Status changed from New to Closed."
    assert call(listener, {"id": 1, "key": "NW-41"}).outcome == "repeat"


def test_what_found_nothing_is_acted_on_once_it_is_there(bugs):
    """Jira calls before the response that brings its key has been stored."""
    listener = status_listener(bugs, id_at="$.id")
    data = {"id": 1, "key": "NW-41", "status": "Done"}
    early = call(listener, data)
    assert early.outcome == "no_record"
    bug = factories.ticket(bugs, external_data={"jira_key": "NW-41"})
    replay(InboundCall.objects.filter(pk=early.call_id), actor=factories.superuser())
    work.hear(listener.pk)
    bug.refresh_from_db()
    assert bug.status is not None and bug.status.name == "Closed"
    assert call(listener, data).outcome == "repeat"


def test_what_is_older_stays_older_in_a_replay(bugs, bug):
    listener = status_listener(bugs, time_at="$.at")
    old = call(listener, {"key": "NW-41", "status": "New", "at": "2026-11-01"})
    call(listener, {"key": "NW-41", "status": "Done", "at": "2026-11-02"})
    replay(InboundCall.objects.filter(pk=old.call_id), actor=factories.superuser())
    work.hear(listener.pk)
    assert InboundCall.objects.get(replay_of=old.call).events.get().outcome == "older"


def test_a_replay_of_a_replay_names_the_first_call(bugs, bug):
    listener = status_listener(bugs)
    first = call(listener, {"key": "NW-41", "status": "Done"})
    for _ in range(2):
        newest = InboundCall.objects.order_by("-pk")[:1]
        pks = [each.pk for each in newest]
        actor = factories.superuser(f"u{pks}")
        replay(InboundCall.objects.filter(pk__in=pks), actor=actor)
    replays = InboundCall.objects.filter(replay_of=first.call)
    assert replays.count() == 2


def test_very_many_are_not_replayed_at_once(bugs, monkeypatch):
    listener = status_listener(bugs)
    for _ in range(3):
        factories.inbound_call(listener)
    monkeypatch.setattr("macros.listeners.replay.MAX_REPLAYED", 2)
    with pytest.raises(ReplayRefused, match="More than 2 calls are selected"):
        replay(InboundCall.objects.all(), actor=factories.superuser())
    assert InboundCall.objects.count() == 3
