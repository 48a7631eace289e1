"""The first page: what needs attention, what is at work, and the figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, OuterRef, Subquery
from django.http import HttpRequest
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime

from feedback.console.parts import Meaning
from logs.figures import drawing, tickets
from logs.figures.deliveries import Pair, busiest, summed, visible_to
from logs.figures.failing import Failing, is_failing
from logs.figures.failing import failing as failing_of
from logs.models import Cause, Delivery, Destination, Run, RunState
from logs.recording.waiting import explain_trouble
from macros import queue
from macros.listeners.figures import troubles_of
from macros.models import Listener, Macro, Schedule

from .figures import shown_of
from .menu import MenuProject, MenuType

# Rows of each kind on the page.
MAX_RUNS = 10
MAX_NOTICES = 5
MAX_TYPES = 12
# Runs at work, and destinations in trouble, that are looked at; a few are shown.
MAX_LOOKED_AT = 50
# How late a delivery may be before somebody is told.
LATE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Notice:
    """What needs a person: what it is about, what is wrong, and where to look."""

    meaning: Meaning
    subject: str
    sentence: str
    url: str = ""
    # A second link, and its words.
    more_url: str = ""
    more: str = ""

    @property
    def text(self) -> str:
        """What stands after the subject: the rest of its sentence, or after a stop."""
        space = "" if self.sentence.startswith((".", ":")) else " "
        return f"{space}{self.sentence}"


def context_of(request: HttpRequest, menu: Iterable[MenuProject]) -> dict[str, Any]:
    user, now = request.user, timezone.now()
    shown = shown_of(request, visible_to(user), [Macro, Destination], now)
    runs = Run.objects.visible_to(user).defer("snapshot").exclude(cause=Cause.TEST)
    due = Delivery.objects.due(now - LATE).filter(run=OuterRef("pk"))
    oldest = due.order_by("next_attempt_at").values("next_attempt_at")[:1]
    looked_at = runs.unsettled().annotate(
        due_at=Subquery(oldest), paused_reason=F("macro__paused_reason")
    )
    at_work = list(looked_at[:MAX_LOOKED_AT])
    unconfirmed = [run for run in at_work if run.state == RunState.UNCONFIRMED]
    return {
        "notices": [
            *_of_workers(user, at_work, now),
            *_of_destinations(user, shown.pairs, now),
            *_of_runs(unconfirmed[:MAX_NOTICES]),
            *_of_macros(user),
            *_of_schedules(user, now),
            *_of_listeners(user, now),
        ],
        "runs_at_work": [run for run in at_work if run not in unconfirmed][:MAX_RUNS],
        "recent_runs": runs.settled()[:MAX_RUNS],
        "shown": shown,
        **_tickets(menu, now),
    }


def _of_workers(user: Any, at_work: Iterable[Run], now: datetime) -> Iterator[Notice]:
    if not user.has_perm("logs.view_run"):
        return
    if not queue.has_worker():
        yield Notice(
            Meaning.BAD,
            "No worker is running",
            ". Nothing is delivered until one does; nothing is lost meanwhile. Tell"
            " whoever runs CenterHook that manage.py worker may be down.",
        )
    late: list[Any] = [run for run in at_work if _is_late(run)]
    for run in sorted(late, key=lambda run: run.due_at)[:1]:
        minutes = int((now - run.due_at).total_seconds() // 60)
        yield Notice(
            Meaning.WAITING,
            str(run),
            f"has a delivery that was due {minutes:,} minutes ago. Workers are busy"
            " with other runs, or too few of them are running.",
            reverse("admin:logs_run_change", args=[run.pk]),
        )


def _is_late(run: Any) -> bool:
    """What is paused, or waits for a person's word, is not late."""
    is_runnable = run.state in (RunState.ACTIVE, RunState.CANCELLING)
    return run.due_at is not None and is_runnable and not run.paused_reason


def _of_destinations(
    user: Any, pairs: Iterable[Pair], now: datetime
) -> Iterator[Notice]:
    lately = summed((pair.destination, pair.lately) for pair in pairs)
    failing = {pk: totals for pk, totals in lately.items() if is_failing(totals)}
    worst = [pk for pk, _ in busiest(failing, MAX_LOOKED_AT)]
    visible = Destination.objects.visible_to(user)
    rows = list((visible.troubled() | visible.filter(pk__in=worst))[:MAX_LOOKED_AT])
    troubled = [row for row in rows if row.takes_nothing(now)]
    for row in troubled[:MAX_NOTICES]:
        meaning = Meaning.WAITING if row.is_paused else Meaning.BAD
        url = reverse("admin:logs_destination_change", args=[row.pk])
        yield Notice(meaning, str(row), explain_trouble(row, now), url)
    if len(troubled) > MAX_NOTICES:
        url = reverse("admin:logs_destination_changelist")
        yield Notice(Meaning.BAD, "More destinations", "take nothing for now.", url)
    known = {row.pk: row for row in rows if row not in troubled}
    for each in failing_of(failing, known):
        yield _failing(each)


def _failing(each: Failing) -> Notice:
    sentence = (
        f": {each.failed:,} of {each.tried:,} deliveries failed in the last 24 hours."
    )
    if each.reason:
        sentence += f" The newest one: {each.reason}"
    url = reverse("admin:destination_figures", args=[each.destination.pk])
    newest = ""
    if each.newest:
        newest = reverse("admin:logs_delivery_change", args=[each.newest])
    name, more = str(each.destination), "See that delivery"
    return Notice(Meaning.BAD, name, sentence, url, newest, more)


def _of_runs(unconfirmed: Iterable[Run]) -> Iterator[Notice]:
    for run in unconfirmed:
        yield Notice(
            Meaning.WAITING,
            str(run),
            f"needs confirmation: {run.cause_in_words} matched more than its limit."
            f" {run.total:,} deliver{pluralize(run.total, 'y waits,ies wait')} until"
            " somebody confirms or drops the run.",
            reverse("admin:logs_run_change", args=[run.pk]),
        )


def _of_macros(user: Any) -> Iterator[Notice]:
    paused = Macro.objects.visible_to(user).filter(paused_reason__gt="")
    for macro in paused.order_by("-paused_at")[:MAX_NOTICES]:
        yield Notice(
            Meaning.WAITING,
            macro.name,
            f"is paused: {macro.paused_reason} What it has to deliver waits.",
            reverse("admin:macros_macro_change", args=[macro.pk]),
        )


def _of_schedules(user: Any, now: datetime) -> Iterator[Notice]:
    overdue = Schedule.objects.visible_to(user).overdue(now)
    for schedule in overdue.order_by("next_run_at")[:MAX_NOTICES]:
        at = date_format(localtime(schedule.next_run_at), "j M Y, H:i")
        yield Notice(
            Meaning.BAD,
            str(schedule),
            f"is overdue: it was to start at {at}. The clock starts schedules; if this"
            " stays, tell whoever runs CenterHook that manage.py clock may be down.",
            reverse("admin:macros_schedule_change", args=[schedule.pk]),
        )


def _of_listeners(user: Any, now: datetime) -> Iterator[Notice]:
    for trouble in troubles_of(Listener.objects.visible_to(user), now):
        pk = trouble.listener.pk
        yield Notice(
            Meaning.WAITING,
            f"Listener {trouble.listener}",
            f": {trouble.sentence}",
            reverse("admin:macros_listener_change", args=[pk]),
            f"{reverse('admin:macros_inboundcall_changelist')}?listener={pk}",
            "See its calls",
        )


def _tickets(menu: Iterable[MenuProject], now: datetime) -> dict[str, Any]:
    """The types with the most open tickets, and how those stand."""
    every = [(project, row) for project in menu for row in project.types]
    every.sort(key=lambda each: -each[1].open_count)
    shown = every[:MAX_TYPES]
    standings = tickets.standings([row.pk for _, row in shown], now)
    return {
        "types": [
            _type(project, row, standings.by_type[row.pk], now)
            for project, row in shown
        ],
        "has_more_types": len(every) > MAX_TYPES,
        "tickets_as_of": standings.as_of,
    }


def _type(
    project: MenuProject, row: MenuType, standing: tickets.Standing, now: datetime
) -> dict[str, Any]:
    return {
        "row": row,
        "project": project,
        "bar": drawing.tickets_bar(standing, row.name),
        "statuses": [(each, standing.now[each.pk]) for each in standing.statuses],
        "chart": drawing.tickets_chart(standing, row.name, now),
    }
