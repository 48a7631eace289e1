"""Schedules on their pages: the form, the preview, what became of the moments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from feedback.access.roles import Role
from feedback.models import FeedbackType
from logs.models import Action, AuditEntry, Run
from macros.models import Macro, Rate, Schedule
from macros.schedules.due import start_due
from macros.schedules.listing import rows_for
from tests import factories

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
LIST = reverse("admin:macros_schedule_changelist")
MOMENTS = reverse("admin:macros_schedule_moments")


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """A Monday."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def macro(db: None) -> Macro:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 3)
    return factories.macro(bugs, "https://a.example/", name="Post")


@pytest.fixture
def schedule(macro: Macro) -> Schedule:
    zone = "Europe/Berlin"
    return factories.schedule(macro, name="Nightly", at=time(15), time_zone=zone)


def url(page: str, schedule: Schedule) -> str:
    return reverse(f"admin:macros_schedule_{page}", args=[schedule.pk])


def words(response: HttpResponse) -> str:
    text = re.sub(r"<[^>]*>", " ", response.content.decode())
    return unescape(re.sub(r"\s+", " ", text))


def add(macro: Macro) -> str:
    return f"{reverse('admin:macros_schedule_add')}?macro={macro.pk}"


def form(macro: Macro, **values: Any) -> dict[str, Any]:
    return {
        "name": "Nightly",
        "is_active": "on",
        "rate": "daily",
        "every": "1",
        "at": "15:00",
        "time_zone": "Europe/Berlin",
        "start_at_0": "2026-06-01",
        "start_at_1": "14:00",
        "missed": "catch_up",
        "overlap": "skip",
        **values,
    }


def faults(response: HttpResponse) -> dict[str, list[str]]:
    context: Any = response.context
    return dict(context["adminform"].form.errors)


def test_a_new_schedule_has_its_times_in_its_own_zone(
    page: Client, macro: Macro
) -> None:
    data = form(macro, end_at_0="2026-07-01", end_at_1="00:00")
    assert page.post(add(macro), data).status_code == 302
    made = Schedule.objects.get()
    assert made.start_at == NOON
    assert made.end_at == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert made.next_run_at == NOON + timedelta(hours=1)
    assert made.community == macro.community
    shown = page.get(url("change", made)).content.decode()
    assert 'value="14:00:00"' in shown and 'value="15:00"' in shown
    assert page.post(url("change", made), data).status_code == 302
    made.refresh_from_db()
    assert made.start_at == NOON, "saved again it stays what it was"


@pytest.mark.parametrize(
    ("values", "stored"),
    [
        ({"rate": "minutes", "every": "15"}, {"every": 15}),
        ({"rate": "weekly", "weekdays": ["1", "5"]}, {"weekdays": "1,5"}),
        ({"rate": "monthly", "month_day": "32"}, {"month_day": 32}),
        ({"rate": "cron", "cron": "0 9 * * 1-5"}, {"cron": "0 9 * * 1-5"}),
        ({"rate": "once", "start_at_1": "14:01"}, {}),
    ],
)
def test_each_rate_is_saved_and_shown_again(
    page: Client, macro: Macro, values: dict[str, Any], stored: dict[str, Any]
) -> None:
    data = form(macro, **values)
    assert page.post(add(macro), data).status_code == 302
    made = Schedule.objects.get()
    assert {name: getattr(made, name) for name in stored} == stored
    page.post(url("change", made), data)
    again = Schedule.objects.get()
    assert again.timetable == made.timetable


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"rate": "cron", "cron": "0 0 * 2 MON#5"}, "cron", "It would never run."),
        ({"rate": "cron", "cron": "often"}, "cron", "five parts"),
        ({"rate": "weekly"}, "weekdays", "at least one day"),
        ({"rate": "monthly"}, "month_day", "Choose a day"),
        ({"at": ""}, "at", "Give the time of day."),
        ({"rate": "minutes", "every": "0"}, "every", "greater than or equal to 1"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone", "valid choice"),
        ({"end_at_0": "2026-05-01", "end_at_1": "0:00"}, "end_at", "not after"),
        ({"start_at_0": "0001-01-01"}, "start_at", "from 2000 to 2100"),
        ({"start_at_0": ""}, "start_at", "required"),
        ({"rate": "once"}, "rate", "No moment comes after now"),
        ({"rate": "fortnightly"}, "rate", "valid choice"),
        ({"name": ""}, "name", "required"),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(
    page: Client, macro: Macro, values: dict[str, Any], field: str, message: str
) -> None:
    response = page.post(add(macro), form(macro, **values))
    [(where, sentences)] = faults(response).items()
    assert where == field and message in " ".join(sentences)
    assert not Schedule.objects.exists()


def test_testers_have_no_moment_of_change(page: Client, macro: Macro) -> None:
    assert macro.feedback_type
    user_macro = factories.macro(macro.feedback_type.project)
    response = page.post(add(user_macro), form(user_macro, only_changed="on"))
    assert list(faults(response)) == ["only_changed"]


def test_two_schedules_of_a_macro_have_two_names(
    page: Client, schedule: Schedule
) -> None:
    other = factories.schedule(schedule.macro, name="Weekly")
    response = page.post(url("change", other), form(schedule.macro, name="NIGHTLY"))
    assert "The macro has a schedule of this name." in words(response)


def test_only_filters_that_fit_the_macro_are_offered(
    page: Client, schedule: Schedule
) -> None:
    bugs = schedule.macro.feedback_type
    assert bugs
    ideas = FeedbackType.objects.create(project=bugs.project, name="Idea", prefix="I")
    project = bugs.project
    fitting = {
        factories.saved_filter(bugs, name="Own"),
        factories.saved_filter(project, name="Wide", subject_kind="feedback"),
    }
    strangers = {
        factories.saved_filter(ideas, name="Other type"),
        factories.saved_filter(project, name="Testers"),
        factories.saved_filter(project.community, name="All testers"),
        factories.saved_filter(factories.feedback_type(), name="Elsewhere"),
    }
    for where in (url("change", schedule), add(schedule.macro)):
        context: Any = page.get(where).context
        offered = context["adminform"].form.fields["filter"].queryset
        assert set(offered) == fitting
    for chosen in strangers:
        data = form(schedule.macro, filter=str(chosen.pk))
        assert "filter" in faults(page.post(add(schedule.macro), data))


def test_the_page_says_in_words_what_it_means_and_lists_five_moments(
    page: Client, schedule: Schedule
) -> None:
    shown = words(page.get(url("change", schedule)))
    assert "Every day at 15:00 Europe/Berlin." in shown
    assert "Next run: 1 Jun 2026, 15:00 Europe/Berlin." in shown
    for day in range(1, 6):
        assert f"{day} Jun 2026, 15:00 {day} Jun 2026, 13:00" in shown
    assert "6 Jun 2026" not in shown


def test_the_preview_says_the_same_of_what_is_not_saved(
    page: Client, schedule: Schedule
) -> None:
    data = form(schedule.macro, rate="monthly", month_day="31", at="09:30")
    html = page.post(MOMENTS, data).json()["html"]
    assert "On the 31st of every month at 09:30 Europe/Berlin." in html
    assert "In February and other months without such a day it does not run." in html
    listed = re.findall(r"<td>(.*?)</td>", html)
    assert listed[:4] == [
        "31 Jul 2026, 09:30",
        "31 Jul 2026, 07:30",
        "31 Aug 2026, 09:30",
        "31 Aug 2026, 07:30",
    ]
    schedule.refresh_from_db()
    assert schedule.rate == Rate.DAILY


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rate": "cron", "cron": "<b>"}, "A cron expression has five parts"),
        ({"rate": "cron", "cron": "\0" * 5}, "Null characters are not allowed"),
        ({"time_zone": "../../etc"}, "valid choice"),
        ({"start_at_0": "yesterday"}, "Enter a valid date"),
        ({"every": "9" * 50, "rate": "hours"}, "less than or equal to 10000"),
        ({"month_day": "1e3", "rate": "monthly"}, "valid choice"),
    ],
)
def test_the_preview_of_rubbish_is_a_sentence(
    page: Client, macro: Macro, values: dict[str, Any], message: str
) -> None:
    data = form(macro, **values)
    html = page.post(MOMENTS, data).json()["html"]
    assert message in html and "<b>" not in html


def test_one_button_switches_off_and_on_wherever_it_stands(
    page: Client, schedule: Schedule
) -> None:
    toggle = url("toggle", schedule)
    for where in (url("change", schedule), LIST):
        assert f'action="{toggle}"' in page.get(where).content.decode()
    page.get(toggle)
    schedule.refresh_from_db()
    assert schedule.is_active, "a link alone must not switch it off"

    page.post(toggle)
    schedule.refresh_from_db()
    assert (schedule.is_active, schedule.next_run_at) == (False, None)
    after = page.post(toggle, {"action": ""}, follow=True)
    assert "Nightly is on." in words(after)
    assert after.redirect_chain == [(LIST, 302)]
    schedule.refresh_from_db()
    assert schedule.next_run_at == NOON + timedelta(hours=1)
    entries = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert [*entries][-2:] == [Action.SWITCHED_OFF, Action.SWITCHED_ON]


@pytest.mark.parametrize(
    ("given", "expected"), [("/admin/", "/admin/"), ("https://evil.example/", None)]
)
def test_the_button_leads_back_to_a_page_of_ours(
    page: Client, schedule: Schedule, given: str, expected: str | None
) -> None:
    response = page.post(url("toggle", schedule), {"next": given})
    assert response.headers["Location"] == (expected or url("change", schedule))


def test_what_would_never_run_is_not_switched_on(
    page: Client, schedule: Schedule
) -> None:
    page.post(url("toggle", schedule))
    Schedule.objects.update(rate=Rate.ONCE)
    after = page.post(url("toggle", schedule), follow=True)
    assert "No moment comes after now" in words(after)
    schedule.refresh_from_db()
    assert not schedule.is_active


def test_first_the_macro_is_chosen(page: Client, macro: Macro) -> None:
    address = reverse("admin:macros_schedule_add")
    for odd in ("", "?macro=0", "?macro=x", f"?macro={'9' * 40}"):
        shown = page.get(f"{address}{odd}")
        assert "Which macro is to run?" in words(shown)
        assert f'href="{add(macro)}"' in shown.content.decode()
    assert "Which macro" not in words(page.get(add(macro)))


def test_run_now_says_how_many_and_starts_once(
    page: Client, schedule: Schedule
) -> None:
    confirm = page.get(url("run", schedule))
    assert "Run the macro Post now on 3 tickets?" in words(confirm)
    [key] = re.findall(r'name="key" value="(\w+)"', confirm.content.decode())
    for _ in range(2):
        response = page.post(url("run", schedule), {"key": key})
        run = Run.objects.get()
        assert response.headers["Location"] == (
            reverse("admin:logs_run_change", args=[run.pk])
        )
    assert run.actor_name == "olivia" and run.schedule == schedule


def test_run_now_of_a_macro_that_is_off_says_so(
    page: Client, schedule: Schedule
) -> None:
    Macro.objects.update(is_active=False)
    after = page.post(url("run", schedule), {"key": "x" * 500}, follow=True)
    assert "The macro Post is off. Switch it on to run it." in words(after)
    assert not Run.objects.exists()


def test_without_an_api_key_the_page_says_that_it_is_locked(
    page: Client, schedule: Schedule
) -> None:
    schedule.community.api_keys.all().delete()
    for where in ("change", "run"):
        shown = words(page.get(url(where, schedule)))
        assert "Web requests are locked." in shown
    assert 'value="Run now"' not in page.get(url("run", schedule)).content.decode()


def test_its_past_says_what_became_of_each_moment(
    page: Client, schedule: Schedule, clock: time_machine.Traveller
) -> None:
    clock.move_to(NOON + timedelta(hours=1), tick=False)
    start_due()
    run = Run.objects.get()
    clock.move_to(NOON + timedelta(hours=27), tick=False)
    start_due()
    shown = words(page.get(url("past", schedule)))
    first = "1 Jun 2026, 15:00 1 Jun 2026, 13:00:00 UTC Started a run"
    assert f"{first} Run {run.pk} , in progress 0 of 3 delivered -" in shown
    unfinished = f"0 of 3 deliveries of run {run.pk} had ended."
    overlap = "2 Jun 2026, 15:00 - Skipped: the last run was unfinished"
    assert f"{overlap} - - {unfinished}" in shown
    assert "Skipped: the last run was unfinished" in words(page.get(LIST))


def test_an_overdue_schedule_is_red_on_its_page_in_the_list_and_on_the_overview(
    page: Client, schedule: Schedule, clock: time_machine.Traveller
) -> None:
    index = reverse("admin:index")
    due = NOON + timedelta(hours=1)
    clock.move_to(due + timedelta(seconds=1), tick=False)
    for where in (index, LIST, url("change", schedule)):
        assert "verdue" not in words(page.get(where))
    clock.move_to(due + timedelta(seconds=2), tick=False)
    html = page.get(url("change", schedule)).content.decode()
    assert re.search(r'class="errornote">.*Nightly.* is overdue', html)
    assert "Nightly is overdue: it was to start at" in words(page.get(index))
    assert 'state-failed">Overdue' in page.get(LIST).content.decode()


def test_the_overview_shows_only_what_one_may_see(
    client: Client, schedule: Schedule, clock: time_machine.Traveller
) -> None:
    clock.move_to(NOON + timedelta(hours=2), tick=False)
    other = factories.feedback_type()
    client.force_login(factories.member(other, Role.COMMUNITY_MANAGER))
    assert "overdue" not in words(client.get(reverse("admin:index")))


def test_an_observer_reads_it_in_words_and_changes_nothing(
    client: Client, schedule: Schedule
) -> None:
    assert schedule.feedback_type
    client.force_login(factories.member(schedule.feedback_type, Role.OBSERVER))
    html = client.get(url("change", schedule)).content.decode()
    assert "Every day at 15:00 Europe/Berlin" in html
    assert "Switch off" not in html and "data-url" not in html
    assert "Run now" not in html
    assert "Switch off" not in client.get(LIST).content.decode()


def test_a_broken_zone_breaks_no_page(page: Client, schedule: Schedule) -> None:
    Schedule.objects.update(time_zone="Europe/Atlantis")
    for where in (LIST, *(url(each, schedule) for each in ("change", "past", "run"))):
        assert page.get(where).status_code == 200
    assert "There is no time zone" in words(page.get(url("change", schedule)))


def test_the_pages_of_its_macro_and_its_type_say_when_it_runs_by_itself(
    page: Client, schedule: Schedule, clock: time_machine.Traveller
) -> None:
    clock.move_to(NOON + timedelta(hours=1), tick=False)
    start_due()
    run = Run.objects.get()
    macro = schedule.macro
    macro_page = reverse("admin:macros_macro_change", args=[macro.pk])
    type_page = "admin:feedback_feedbacktype_change"
    for where in (macro_page, reverse(type_page, args=[macro.feedback_type_id])):
        response = page.get(where)
        row = "Every day at 15:00 Europe/Berlin Post 2 Jun 2026, 13:00 UTC"
        assert f"{row} Started a run, just now: run {run.pk}" in words(response)
        html = response.content.decode()
        assert reverse("admin:logs_run_change", args=[run.pk]) in html
        assert url("change", schedule) in html and url("toggle", schedule) in html
    assert f'href="{add(macro)}"' in page.get(macro_page).content.decode()


def test_a_run_says_which_schedule_and_which_moment_it_is_of(
    page: Client, schedule: Schedule, clock: time_machine.Traveller
) -> None:
    clock.move_to(NOON + timedelta(hours=30), tick=False)
    start_due()
    run_page = reverse("admin:logs_run_change", args=[Run.objects.get().pk])
    response = page.get(run_page)
    assert "Schedule Nightly (late, 2 missed)" in words(response)
    assert url("change", schedule) in response.content.decode()
    assert "2 Jun 2026, 13:00" in words(response)


def test_the_rows_are_those_that_one_may_see(schedule: Schedule) -> None:
    macros = Macro.objects.all()
    [row] = rows_for(factories.superuser("root"), macros)
    assert (row.may_change, row.is_active) == (True, True)
    assert schedule.feedback_type
    observer = factories.member(schedule.feedback_type, Role.OBSERVER)
    assert [each.may_change for each in rows_for(observer, macros)] == [False]
    stranger = factories.member(factories.feedback_type(), Role.COMMUNITY_MANAGER)
    assert rows_for(stranger, macros) == []
