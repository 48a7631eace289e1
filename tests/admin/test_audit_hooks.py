"""What people do in the admin, and the entries it leaves in the audit log."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from feedback.access.roles import Role
from feedback.models import ApiKey, Feedback, FeedbackType, Grant, Member, Project
from logs.models import Action, AuditEntry, BreakerState, Delivery, Destination, Run
from macros.models import Macro
from macros.steps.kinds.web_request import WebRequest
from tests import factories

CAUSES = ("connection", "timeout", "server_error", "busy", "unknown")
OLIVIA = ("olivia", "127.0.0.1")


@pytest.fixture
def bugs(page: Client) -> FeedbackType:
    """Made after olivia signed in, whose own entry is none of the following."""
    return factories.feedback_type()


def url(row: Any, name: str = "change", *args: object) -> str:
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{name}", args=args)


def entries_of_olivia() -> list[tuple[str, str, str, Any, str]]:
    """Action, kind of object, its name, changes, detail; all of it by olivia."""
    rows = AuditEntry.objects.exclude(action=Action.SIGNED_IN).order_by("pk")
    assert {(row.actor_name, row.address) for row in rows} <= {OLIVIA}
    assert not LogEntry.objects.exists()
    return [
        (row.action, row.object_type, row.object_name, row.changes, row.detail)
        for row in rows
    ]


def empty(prefix: str, initial: int = 0, total: int | None = None) -> dict[str, Any]:
    count = initial if total is None else total
    return {f"{prefix}-TOTAL_FORMS": count, f"{prefix}-INITIAL_FORMS": initial}


def test_a_row_is_created_changed_and_deleted(page: Client, bugs: FeedbackType) -> None:
    community = bugs.project.community
    data = {"community": community.pk, "name": "Watch", "description": "x" * 300}
    data["time_zone"] = "UTC"
    page.post(url(Project, "add"), data)
    made = Project.objects.get(name="Watch")
    page.post(url(made, "change", made.pk), {**data, "name": "Ring"})
    page.post(url(made, "change", made.pk), {**data, "name": "Ring"})  # no change
    page.post(url(made, "delete", made.pk), {"name": "Ring"})
    assert entries_of_olivia() == [
        (
            "created",
            "feedback.project",
            "Watch",
            {
                "community": [None, community.name],
                "name": [None, "Watch"],
                "description": [None, "x" * 199 + "…"],
                "time_zone": [None, "UTC"],
            },
            "",
        ),
        ("changed", "feedback.project", "Ring", {"name": ["Watch", "Ring"]}, ""),
        ("deleted", "feedback.project", "Ring", {}, ""),
    ]
    last = AuditEntry.objects.first()
    assert last is not None
    assert (last.object_id, last.project_id) == (made.pk, made.pk)
    assert (last.community, last.project_name) == (community, "Ring")


def test_rows_below_are_told_with_the_row_above(
    page: Client, bugs: FeedbackType
) -> None:
    new, closed = bugs.statuses.order_by("position")
    bugs.form_fields.all().delete()
    data = {"project": bugs.project_id, "name": "Bug Report", "prefix": "BUG"}
    data |= empty("form_fields") | empty("statuses", 2, 3)
    for number, status in enumerate([new, closed]):
        data[f"statuses-{number}-id"] = status.pk
        data[f"statuses-{number}-name"] = status.name
        data[f"statuses-{number}-colour"] = status.colour
        data[f"statuses-{number}-position"] = status.position
    data |= {"statuses-0-position": 7, "statuses-0-is_open": "on"}
    data |= {"statuses-1-DELETE": "on"}
    data |= {"statuses-2-name": "Later", "statuses-2-position": 3}
    data["statuses-2-colour"] = "blue"
    page.post(url(bugs, "change", bugs.pk), data)
    assert entries_of_olivia() == [
        (
            "changed",
            "feedback.feedbacktype",
            "Phone Beta: Bug Report",
            {
                "status New: position": [1, 7],
                "status Later": ["", "added"],
                "status Closed": ["", "deleted"],
            },
            "",
        )
    ]


def test_all_that_are_deleted_at_once_are_named(
    page: Client, bugs: FeedbackType
) -> None:
    tickets = factories.tickets(bugs, 3)
    data = {
        "action": "delete_selected",
        "_selected_action": [ticket.pk for ticket in tickets[:2]],
        "post": "yes",
    }
    page.post(url(Feedback, "changelist") + f"?type={bugs.pk}", data)
    assert Feedback.objects.count() == 1
    assert sorted(entries_of_olivia()) == [
        ("deleted", "feedback.feedback", "BUG-1", {}, ""),
        ("deleted", "feedback.feedback", "BUG-2", {}, ""),
    ]
    rows = AuditEntry.objects.filter(action="deleted")
    assert {row.community for row in rows} == {bugs.project.community}


def test_a_macro_is_switched_off_and_on(page: Client, bugs: FeedbackType) -> None:
    macro = factories.macro(bugs, name="Post", ladder="5 s")
    data = {"feedback_type": bugs.pk, "name": "Post", "retry_ladder": "5 s"}
    data |= {f"retry_{cause}": "on" for cause in CAUSES} | empty("steps")
    data["asks_confirmation"] = "on"
    page.post(url(macro, "change", macro.pk), data)
    page.post(url(macro, "change", macro.pk), {**data, "is_active": "on"})
    assert entries_of_olivia() == [
        ("off", "macros.macro", "Post", {"is_active": [True, False]}, ""),
        ("on", "macros.macro", "Post", {"is_active": [False, True]}, ""),
    ]


def test_a_macro_is_paused_and_resumed(page: Client, bugs: FeedbackType) -> None:
    macro = factories.macro(bugs, name="Post")
    for name in ("pause", "pause", "resume", "resume"):
        page.post(url(macro, name, macro.pk))
    assert entries_of_olivia() == [
        ("paused", "macros.macro", "Post", {}, "olivia paused it."),
        ("resumed", "macros.macro", "Post", {}, ""),
    ]


def test_a_run_is_started_paused_resumed_and_cancelled(
    page: Client, bugs: FeedbackType
) -> None:
    ticket = factories.ticket(bugs)
    macro = factories.macro(bugs, "https://a.example/", name="Post")
    where = url(Feedback, "changelist") + f"?type={bugs.pk}"
    data = {
        "action": f"macro_{macro.pk}",
        "_selected_action": [ticket.pk],
        "confirmed_count": "1",
    }
    page.post(where, data)
    run = Run.objects.get()
    for name in ("pause", "resume", "cancel", "cancel"):
        page.post(url(run, name, run.pk))
    name = f"Run {run.pk}: Post"
    assert entries_of_olivia() == [
        (
            "ran",
            "macros.macro",
            "Post",
            {},
            "1 delivery. Perform Action.",
        ),
        ("paused", "logs.run", name, {}, ""),
        ("resumed", "logs.run", name, {}, ""),
        ("cancelled", "logs.run", name, {}, ""),
    ]
    rows = AuditEntry.objects.exclude(action=Action.SIGNED_IN)
    assert {row.run_id for row in rows} == {run.pk}


def test_a_resend_is_told_once_with_its_count(page: Client, bugs: FeedbackType) -> None:
    factories.tickets(bugs, 3)
    run = factories.run(factories.macro(bugs, "https://a.example/", name="Post"))
    rows = Delivery.objects.filter(run=run)
    rows.update(state="failed", attempts=1, next_attempt_at=None)
    Run.objects.update(failed=3, state="finished")
    AuditEntry.objects.all()._raw_delete("default")
    data = {
        "action": "resend_anew",
        "select_across": "1",
        "_selected_action": [0],
        "confirmed_count": "3",
    }
    where = url(Delivery, "changelist")
    shown = page.post(where, {**data, "confirmed_count": ""}).context["preview"]
    for _ in range(2):
        page.post(where, {**data, "confirmed_selection": shown.digest})
    name = f"Run {run.pk}: Post"
    words = "Build anew: 3 deliveries of 1 run."
    assert entries_of_olivia() == [("resent", "logs.run", name, {}, words)]
    assert AuditEntry.objects.get().community == bugs.project.community


def test_a_destination_is_paused_and_its_breaker_closed(
    page: Client, bugs: FeedbackType
) -> None:
    row = Destination.objects.create(
        community=bugs.project.community,
        origin="https://a.example:443",
        breaker=BreakerState.OPEN,
    )
    page.post(reverse("admin:logs_destination_resume", args=[row.pk]))
    page.post(url(row, "change", row.pk), {"is_paused": "on", "rate": "2"})
    kind, name = "logs.destination", "https://a.example:443"
    assert entries_of_olivia() == [
        ("resumed", kind, name, {}, "The circuit breaker was closed by hand."),
        ("paused", kind, name, {"rate": [None, 2.0], "is_paused": [False, True]}, ""),
    ]


def test_roles_are_given_changed_and_taken(page: Client, bugs: FeedbackType) -> None:
    nora = User.objects.create_user("nora")
    community = bugs.project.community
    data = {"community": community.pk, "person": "nora", **empty("grants", 0, 1)}
    page.post(url(Member, "add"), {**data, "grants-0-role": Role.OBSERVER})
    member, grant = Member.objects.get(), Grant.objects.get()
    changed = empty("grants", 1) | {
        "grants-0-id": grant.pk,
        "grants-0-member": member.pk,
        "grants-0-role": Role.COMMUNITY_MANAGER,
    }
    page.post(url(member, "change", member.pk), changed)
    page.post(url(member, "delete", member.pk), {"post": "yes"})
    watches = "Observer in the whole community"
    manages = "Community Manager in the whole community"
    kind = "feedback.member"
    assert entries_of_olivia() == [
        ("changed", "auth.user", "nora", {"is_staff": [False, True]}, ""),
        (
            "created",
            kind,
            "nora",
            {"community": [None, community.name], "user": [None, "nora"]},
            "",
        ),
        ("given", kind, "nora", {}, watches),
        ("taken", kind, "nora", {}, watches),
        ("given", kind, "nora", {}, manages),
        ("taken", kind, "nora", {}, manages),
        ("deleted", kind, "nora", {}, ""),
    ]
    nora.refresh_from_db()
    assert nora.is_staff


def user_form(user: User, **values: Any) -> dict[str, Any]:
    joined = user.date_joined
    return {
        "username": user.username,
        "is_active": "on",
        "asks_confirmation": "on",
        "date_joined_0": f"{joined:%Y-%m-%d}",
        "date_joined_1": f"{joined:%H:%M:%S}",
        **values,
    }


def test_accounts_are_made_raised_and_given_passwords(page: Client, db: None) -> None:
    passwords = {"password1": "correct horse staple", "usable_password": "true"}
    passwords["password2"] = passwords["password1"]
    page.post(url(User, "add"), {"username": "nora", **passwords})
    nora = User.objects.get(username="nora")
    nora.date_joined = nora.date_joined.replace(microsecond=0)
    nora.save()
    group = Group.objects.create(name="Staff")
    page.post(
        url(nora, "change", nora.pk),
        user_form(nora, is_superuser="on", groups=[group.pk]),
    )
    page.post(url(nora, "change", nora.pk), user_form(nora))
    page.post(reverse("admin:auth_user_password_change", args=[nora.pk]), {**passwords})
    page.post(url(group, "delete", group.pk), {"post": "yes"})
    entries = entries_of_olivia()
    assert entries[0][:3] == ("created", "auth.user", "nora")
    assert entries[0][3]["password"] == ["", "(not shown)"]
    assert entries[1:] == [
        (
            "given",
            "auth.user",
            "nora",
            {"is_superuser": [False, True], "groups": ["", "Staff"]},
            "",
        ),
        (
            "taken",
            "auth.user",
            "nora",
            {"is_superuser": [True, False], "groups": ["Staff", ""]},
            "",
        ),
        ("changed", "auth.user", "nora", {}, "Changed: password."),
        ("deleted", "auth.group", "Staff", {}, ""),
    ]
    rows = AuditEntry.objects.exclude(action=Action.SIGNED_IN)
    assert {row.community for row in rows} == {None}


def test_an_api_key_is_made_and_its_token_shown(
    page: Client, bugs: FeedbackType
) -> None:
    data = {"community": bugs.project.community_id, "name": "BI", "is_enabled": "on"}
    page.post(url(ApiKey, "add"), data)
    key = ApiKey.objects.get(name="BI")
    entries = entries_of_olivia()
    assert [entry[0] for entry in entries] == ["revealed", "created"]
    assert entries[1][3]["token_hash"] == ["", "(not shown)"]
    page.post(reverse("admin:feedback_apikey_off", args=[key.pk]))
    assert entries_of_olivia()[2:] == [("off", "feedback.apikey", str(key), {}, "")]


def test_sign_in_sign_out_and_what_was_refused(client: Client, db: None) -> None:
    olivia = factories.superuser()
    login = reverse("admin:login")
    wrong = {"username": "olivia" + "x" * 200, "password": "not-the-word"}
    client.post(login, wrong)
    client.post(login, {**wrong, "username": "nobody"}, REMOTE_ADDR="203.0.113.9")
    client.post(login, {"username": "olivia", "password": "secret-word"})
    client.post(reverse("admin:logout"))
    rows = AuditEntry.objects.order_by("pk")
    columns = ("action", "actor", "actor_name", "address", "object_name", "community")
    assert list(rows.values_list(*columns)) == [
        ("refused", None, "olivia" + "x" * 143 + "…", "127.0.0.1", "", None),
        ("refused", None, "nobody", "203.0.113.9", "", None),
        ("signed_in", olivia.pk, "olivia", "127.0.0.1", "olivia", None),
        ("signed_out", olivia.pk, "olivia", "127.0.0.1", "olivia", None),
    ]


def test_no_secret_is_in_any_entry(page: Client, bugs: FeedbackType) -> None:
    """The same word through every field that may hold one."""
    word = "hunter2-Hunter2"
    community = bugs.project.community_id
    secret = {"community": community, "name": "token", "value": word}
    page.post(reverse("admin:macros_secret_add"), secret)
    macro = factories.macro(bugs, "https://a.example/", name="Post")
    step = WebRequest.objects.get()
    data = {
        "feedback_type": bugs.pk,
        "name": "Post",
        "is_active": "on",
        "asks_confirmation": "on",
        **{f"retry_{cause}": "on" for cause in CAUSES},
        **empty("steps", 1, 2),
        "steps-0-step_ptr": step.pk,
        "steps-0-macro": macro.pk,
        "steps-0-position": 0,
        "steps-0-is_active": "on",
        "steps-0-method": "PUT",
        "steps-0-url": f"https://b.example/hooks/{word}?key={word}",
        "steps-0-headers": f"X-Anything: {word}",
        "steps-0-body_kind": "json",
        "steps-0-body": f'{{"password": "{word}"}}',
    }
    data |= {
        name.replace("-0-", "-1-"): value
        for name, value in data.items()
        if name.startswith("steps-0-") and name != "steps-0-step_ptr"
    }
    data["steps-1-position"] = 1
    page.post(url(macro, "change", macro.pk), data)
    assert Macro.objects.get().steps.count() == 2
    tester = {"community": community, "email": f"{word}@example.com", "phone": word}
    page.post(
        reverse("admin:feedback_tester_add"),
        tester | {"external_data": "{}", "score": "0"},
    )
    ticket = {"title": word, "description": word, "visibility": "public"}
    ticket |= {**empty("comments", 0, 1), "comments-0-text": word}
    ticket |= {"field_steps": word}
    page.post(url(Feedback, "add") + f"?type={bugs.pk}", ticket)
    passwords = {"password1": word, "password2": word, "usable_password": "true"}
    page.post(url(User, "add"), {"username": "nora", **passwords})
    entries = entries_of_olivia()
    page.post(reverse("admin:login"), {"username": "nora", "password": word + "!"})
    assert AuditEntry.objects.filter(action="refused", actor_name="nora").exists()
    assert [entry[:2] for entry in entries][:5] == [
        ("created", "macros.secret"),
        ("changed", "macros.macro"),
        ("created", "feedback.tester"),
        ("created", "feedback.feedback"),
        ("created", "auth.user"),
    ]
    step_name = "web request PUT https://b.example/…"
    assert entries[1][3] == {
        f"{step_name}: method": ["POST", "PUT"],
        f"{step_name}: url": ["https://a.example", "https://b.example/…"],
        f"{step_name}: headers": ["", "(not shown)"],
        f"{step_name}: body": ["(not shown)", "(not shown)"],
        step_name: ["", "added"],
    }
    everything = str(list(AuditEntry.objects.values()))
    assert word.lower() not in everything.lower()
    assert User.objects.get(username="nora").password not in everything
