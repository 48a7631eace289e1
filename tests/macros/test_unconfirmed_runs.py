"""Runs that nobody asked for at their size: they wait, and their people are asked."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from centerhook.receiver import Receiver
from feedback.access.roles import Role
from feedback.models import Feedback
from logs.models import AuditEntry, Run, RunState
from macros import deliveries, jobs, triggers
from macros.models import Event
from macros.runs.control import cancel_run, confirm_run, pause_run
from tests import factories

pytestmark = pytest.mark.django_db


def unconfirmed(url: str = "https://example.com/") -> Run:
    """Two tickets matched where it asks above one."""
    bugs = factories.feedback_type()
    macro = factories.macro(bugs, url, name="Post")
    factories.trigger(macro, Event.MODIFIED, limit=1, name="On edit")
    factories.tickets(bugs, 2)
    Feedback.objects.update(title="Changed")
    return Run.objects.get()


def test_no_worker_takes_what_was_not_confirmed(receiver: Receiver) -> None:
    run = unconfirmed(f"{receiver.url}/ok")
    assert (run.state, run.total) == (RunState.UNCONFIRMED, 2)
    assert not Run.objects.with_due_deliveries(timezone.now()).exists()
    jobs.wake()
    deliveries.work(run.pk)
    assert receiver.requests == []
    assert not pause_run(run)

    assert confirm_run(run)

    deliveries.work(run.pk)
    run.refresh_from_db()
    assert (run.state, run.delivered) == (RunState.FINISHED, 2)
    assert not confirm_run(run)
    entry = AuditEntry.objects.get(action="confirmed")
    assert entry.run_id == run.pk


def test_dropped_it_sends_nothing() -> None:
    run = unconfirmed()
    assert cancel_run(run)
    run.refresh_from_db()
    assert (run.state, run.cancelled) == (RunState.CANCELLED, 2)


def test_the_people_who_may_run_it_are_asked_once(mailoutbox: list[Any]) -> None:
    run = unconfirmed()
    assert run.project is not None
    bugs = run.project.feedback_types.get()
    theirs = factories.feedback_type("Idea", "IDEA")
    factories.member(bugs, Role.SUPPORT, "sam", in_project=True)
    factories.member(bugs, Role.COMMUNITY_MANAGER, "carol")
    factories.member(bugs, Role.OBSERVER, "oscar")
    factories.member(theirs, Role.SUPPORT, "nora")
    gone = factories.member(bugs, Role.SUPPORT, "gone")
    User.objects.filter(pk=gone.pk).update(is_active=False)

    triggers.ask()
    triggers.ask()

    [mail] = mailoutbox
    assert mail.subject == "Post needs confirmation"
    assert mail.to == ["carol@example.com", "sam@example.com"]
    assert "Trigger On edit matched more than its limit, so the macro Post" in mail.body
    assert f"/admin/logs/run/{run.pk}/change/" in mail.body


def test_where_nobody_may_the_communitys_addresses_are_told(
    mailoutbox: list[Any],
) -> None:
    run = unconfirmed()
    run.community.alert_emails = "desk@example.com"
    run.community.save()
    triggers.ask()
    assert [mail.to for mail in mailoutbox] == [["desk@example.com"]]


def test_a_broken_mail_server_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*args: object) -> None:
        raise ConnectionRefusedError("no server")

    monkeypatch.setattr("macros.triggers.notices.send_mail", refuse)
    run = unconfirmed()
    factories.member(run.project.feedback_types.get(), Role.SUPPORT)  # type: ignore[union-attr]
    triggers.ask()
    assert "The notice could not be sent: no server" in caplog.text


def test_the_dashboard_and_the_runs_page_ask_too() -> None:
    run = unconfirmed()
    assert run.project is not None
    bugs = run.project.feedback_types.get()
    pages = {}
    for name, role in (("sam", Role.SUPPORT), ("oscar", Role.OBSERVER)):
        pages[name] = Client()
        pages[name].force_login(factories.member(bugs, role, name))
    page = reverse("admin:logs_run_change", args=[run.pk])
    confirm = reverse("admin:logs_run_confirm", args=[run.pk])

    overview = pages["sam"].get(reverse("admin:index")).content.decode()
    assert "needs confirmation" in overview and page in overview
    assert "Confirm this run" in pages["sam"].get(page).content.decode()
    html = pages["oscar"].get(page).content.decode()
    assert "Nothing was sent yet" in html and "Confirm this run" not in html
    assert pages["oscar"].post(confirm).status_code == 403

    pages["sam"].get(confirm)
    assert Run.objects.get().state == RunState.UNCONFIRMED
    pages["sam"].post(confirm)
    assert Run.objects.get().state == RunState.ACTIVE
    entry = AuditEntry.objects.get(action="confirmed")
    assert entry.actor_name == "sam"
    overview = pages["sam"].get(reverse("admin:index")).content.decode()
    assert "needs confirmation" not in overview


def test_a_run_says_what_started_it_and_leads_there() -> None:
    run = unconfirmed()
    page = Client()
    page.force_login(factories.superuser())
    html = page.get(reverse("admin:logs_run_change", args=[run.pk])).content.decode()
    trigger = run.trigger_id
    assert "Trigger On edit" in html
    assert reverse("admin:macros_trigger_change", args=[trigger]) in html
    factories.run(run.macro)  # type: ignore[arg-type]
    listed = reverse("admin:logs_run_changelist")
    for query in (f"trigger={trigger}", "cause__exact=trigger", "q=On+edit"):
        rows = page.get(f"{listed}?{query}").context["cl"].result_list
        assert list(rows) == [run], query
