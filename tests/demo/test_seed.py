from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from centerhook.demo.errors import DemoError
from centerhook.demo.listener import signed_with
from centerhook.demo.seed import seed
from feedback.models import (
    ApiKey,
    Community,
    Feedback,
    FieldKind,
    Filter,
    FormField,
)
from feedback.selection.saved import rows_of
from macros.models import Listener, Macro, Schedule, Trigger
from macros.steps.kinds.web_request import WebRequest

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_var_folder(settings, tmp_path):
    settings.VAR_DIR = tmp_path


def test_the_community_is_big_and_varied_enough_to_look_real():
    seed("http://127.0.0.1:1")
    assert Feedback.objects.count() > 300
    assert Community.objects.get().testers.count() == 60
    assert Feedback.objects.values("title", "feedback_type").distinct().count() == 420
    kinds = set(FormField.objects.values_list("kind", flat=True))
    assert kinds == set(FieldKind.values)
    assert Feedback.objects.exclude(external_data={}).count() > 20


def test_there_are_open_critical_bugs_to_send():
    demo = seed("http://127.0.0.1:1")
    tickets = demo.feedback_type.tickets.filter(status__is_open=True)
    assert 10 <= tickets.filter(form_values__severity="Critical").count() <= 50


@pytest.mark.sweep
def test_every_answer_fits_its_question():
    seed("http://127.0.0.1:1")
    for ticket in Feedback.objects.select_related("feedback_type"):
        ticket.full_clean()
        questions = {q.key: q for q in ticket.feedback_type.form_fields.all()}
        for key, answer in ticket.form_values.items():
            choices = questions[key].choice_list
            given = answer if isinstance(answer, list) else [answer]
            assert not choices or set(given) <= set(choices)


def test_a_second_start_keeps_the_data_and_moves_only_the_port():
    first = seed("http://127.0.0.1:1")
    Feedback.objects.filter(feedback_type=first.feedback_type, number=1).delete()
    request = WebRequest.objects.get(macro=first.macro)
    request.url, request.body = "http://127.0.0.1:1/slack/mine?x=1", '{"text": "my"}'
    request.save()
    elsewhere = WebRequest.objects.filter(macro__name="Create Jira issue").first()
    assert elsewhere
    elsewhere.url = "https://jira.example.com/issue"
    elsewhere.save()

    second = seed("http://127.0.0.1:2")

    assert second == first
    assert Feedback.objects.count() == 419
    request.refresh_from_db()
    assert request.url == "http://127.0.0.1:2/slack/mine?x=1"
    assert request.body == '{"text": "my"}'
    elsewhere.refresh_from_db()
    assert elsewhere.url == "https://jira.example.com/issue"


def test_a_macro_that_was_deleted_comes_back():
    Macro.objects.filter(pk=seed("http://127.0.0.1:1").macro.pk).delete()
    demo = seed("http://127.0.0.1:2")
    assert demo.macro.snapshot()["steps"][0]["url"].startswith("http://127.0.0.1:2/")


def gets_in(name, password):
    browser = Client()
    fields = {"username": name, "password": password, "next": "/admin/"}
    browser.post("/admin/login/", fields)
    return browser.get("/admin/").status_code == 200


def test_the_login_works_and_its_password_is_this_machines_own(tmp_path):
    demo = seed("http://127.0.0.1:1")
    assert gets_in(demo.username, demo.password)
    assert (tmp_path / "demo-password").stat().st_mode & 0o077 == 0
    (tmp_path / "demo-password").unlink()
    again = seed("http://127.0.0.1:1")
    assert again.password != demo.password
    assert gets_in(again.username, again.password)
    assert get_user_model()._default_manager.count() == 1


def test_the_next_start_gets_in_whatever_was_tried_at_the_last():
    demo = seed("http://127.0.0.1:1")
    user = get_user_model()._default_manager.get()
    TOTPDevice.objects.create(user=user, name="Authenticator app")
    for _ in range(5):
        assert not gets_in(demo.username, "wrong")
    assert not gets_in(demo.username, demo.password)
    seed("http://127.0.0.1:1")
    assert gets_in(demo.username, demo.password)


def test_a_community_without_bug_reports_is_explained():
    demo = seed("http://127.0.0.1:1")
    Community.objects.get().projects.all().delete()
    with pytest.raises(DemoError, match="Delete the community in the admin"):
        seed("http://127.0.0.1:1")
    assert demo.macro.name == "Post to Slack"


def test_every_start_unlocks_web_requests():
    assert not seed("http://127.0.0.1:1").macro.is_locked()
    ApiKey.objects.update(is_enabled=False)
    assert not seed("http://127.0.0.1:1").macro.is_locked()
    assert ApiKey.objects.count() == 1
    ApiKey.objects.all().delete()
    assert not seed("http://127.0.0.1:1").macro.is_locked()


def test_what_runs_by_itself_is_made_once_and_then_left_alone():
    demo = seed("http://127.0.0.1:1")
    trigger, schedule = Trigger.objects.get(), Schedule.objects.get()
    assert (trigger.macro, trigger.event) == (demo.macro, "submitted")
    assert schedule.next_run_at is not None
    chosen = Filter.objects.get()
    assert chosen == trigger.filter == schedule.filter
    critical = set(rows_of(chosen).values_list("form_values__severity", flat=True))
    assert critical == {"Critical"}
    trigger.delete()
    Schedule.objects.update(is_active=False)
    seed("http://127.0.0.1:1")
    assert not Trigger.objects.exists() and not Schedule.objects.get().is_active


def test_the_listener_is_made_once_and_stays_deleted():
    first = seed("http://127.0.0.1:1")
    assert first.listener and first.listener.is_active and first.listener.key
    assert signed_with(first.listener)
    assert seed("http://127.0.0.1:2").listener == first.listener
    assert Listener.objects.count() == 1
    first.listener.delete()
    assert seed("http://127.0.0.1:1").listener is None
