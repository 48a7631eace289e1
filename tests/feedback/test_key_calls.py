"""A call with an API key: what it may, what is refused and how it is counted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core import mail
from django.db import connection
from django.db.models import Model
from django.test import RequestFactory
from pytest_django import DjangoAssertNumQueries

from feedback.access.actors import may
from feedback.access.addresses import client_address
from feedback.access.keys import REFUSALS_AN_HOUR, KeyActor, KeyRefused, authenticate
from feedback.access.roles import RUN_MACRO
from feedback.models import (
    ApiKey,
    Community,
    Feedback,
    FeedbackType,
    KeyScope,
    KeyUse,
    Project,
)
from feedback.models import key_uses as limits
from macros.models import Macro
from tests import factories
from tests.factories import api_key

pytestmark = pytest.mark.django_db
HERE, THERE = "203.0.113.7", "198.51.100.9"
NOON = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)


@pytest.fixture
def community() -> Community:
    return Community.objects.create(name="Gadgets")


def refusal(token: str, address: str = HERE) -> KeyRefused:
    with pytest.raises(KeyRefused) as refused:
        authenticate(token, address)
    return refused.value


def uses(**of: Any) -> list[tuple[str, str, int]]:
    rows = KeyUse.objects.filter(**of).order_by("pk")
    return list(rows.values_list("address", "outcome", "count"))


@pytest.mark.parametrize(
    ("values", "code", "status"),
    [
        ({"is_enabled": False}, "key_disabled", 401),
        ({"expires_at": NOON}, "key_expired", 401),
        ({"allowed_ips": THERE}, "address_not_allowed", 403),
        ({"allowed_ips": THERE, "is_enabled": False}, "address_not_allowed", 403),
    ],
)
def test_a_right_token_is_told_why_it_is_refused(
    community: Community, values: dict[str, Any], code: str, status: int
) -> None:
    key, token = api_key(community, **values)
    refused = refusal(token)
    assert (refused.code, refused.status, refused.retry_after) == (code, status, None)
    assert refused.message == str(refused) and refused.message.endswith(".")
    assert uses(key=key) == [(HERE, code, 1)]
    key.refresh_from_db()
    assert (key.use_count, key.last_used_at) == (0, None)


@pytest.mark.parametrize("values", [{}, {"is_enabled": False}, {"expires_at": NOON}])
def test_a_wrong_token_learns_nothing_of_the_key(
    community: Community, values: dict[str, Any]
) -> None:
    key, token = api_key(community, **values)
    wrong = [f"{key.prefix}_{'0' * 64}", "ch_0_0", "\udcff", "a\0b_x"]
    refusals = {(each.code, each.status, each.message) for each in map(refusal, wrong)}
    assert refusals == {("invalid_key", 401, "There is no API key with this token.")}
    assert uses(key=key) == [(HERE, "invalid_key", 1)]
    assert uses(key=None) == [(HERE, "invalid_key", 3)]


def test_a_use_is_counted_by_address_and_hour(
    community: Community, time_machine: Any
) -> None:
    time_machine.move_to(NOON, tick=False)
    key, token = api_key(community)
    for address in (HERE, f"::ffff:{HERE}", "2001:DB8::1"):
        authenticate(token, address)
    time_machine.move_to(NOON + timedelta(hours=1), tick=False)
    authenticate(token, HERE)
    assert uses() == [
        (HERE, "accepted", 2),
        ("2001:db8::1", "accepted", 1),
        (HERE, "accepted", 1),
    ]
    key.refresh_from_db()
    assert (key.use_count, key.last_used_address) == (4, HERE)
    assert key.last_used_at == NOON + timedelta(hours=1)


def test_a_further_use_costs_three_statements(
    community: Community, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    _, token = api_key(community)
    authenticate(token, HERE)
    with django_assert_num_queries(3):
        authenticate(token, HERE)


def test_the_log_says_who_still_uses_the_previous_token(community: Community) -> None:
    key, old = api_key(community)
    new = key.rotate(timedelta(hours=1))
    key.save(update_fields=ApiKey.TOKEN_FIELDS)
    authenticate(old, HERE)
    authenticate(new, THERE)
    key.rotate(timedelta(0))
    key.save(update_fields=ApiKey.TOKEN_FIELDS)
    assert refusal(new).code == "token_replaced"
    assert uses() == [
        (HERE, "previous_token", 1),
        (THERE, "accepted", 1),
        (HERE, "token_replaced", 1),
    ]


def test_who_is_refused_too_often_is_turned_away_until_the_next_hour(
    community: Community, time_machine: Any
) -> None:
    time_machine.move_to(NOON, tick=False)
    _, token = api_key(community)
    for _ in range(REFUSALS_AN_HOUR):
        assert refusal("ch_0_0").code == "invalid_key"
    time_machine.move_to(NOON + timedelta(seconds=20), tick=False)
    turned_away = refusal("ch_0_0")
    assert (turned_away.code, turned_away.status) == ("too_many_attempts", 429)
    assert turned_away.retry_after == 1780
    assert uses() == [(HERE, "invalid_key", REFUSALS_AN_HOUR)]
    assert refusal("ch_0_0", THERE).code == "invalid_key", "others are not"
    assert authenticate(token, HERE), "nor a valid key from the same address"
    time_machine.move_to(NOON + timedelta(minutes=30), tick=False)
    assert refusal("ch_0_0").code == "invalid_key"


def test_all_kinds_of_refusals_add_up(community: Community) -> None:
    off, off_token = api_key(community, is_enabled=False)
    actor = authenticate(api_key(community, scope_read=False)[1], HERE)
    for number in range(REFUSALS_AN_HOUR):
        if number % 2:
            assert refusal(off_token).code == "key_disabled"
        else:
            with pytest.raises(KeyRefused, match="lacks the scope 'read'"):
                actor.require("read")
    assert refusal(off_token).code == refusal("ch_0_0").code == "too_many_attempts"
    with pytest.raises(KeyRefused, match="Too many calls"):
        actor.require("read")


def test_one_ipv6_network_is_one_caller(community: Community) -> None:
    for number in range(REFUSALS_AN_HOUR):
        refusal("ch_0_0", f"2001:db8::{number + 1:x}")
    assert refusal("ch_0_0", "2001:db8::dead").code == "too_many_attempts"
    assert refusal("ch_0_0", "2001:db8:0:1::1").code == "invalid_key"
    assert uses()[0] == ("2001:db8::/64", "invalid_key", REFUSALS_AN_HOUR)


def test_guesses_from_everywhere_do_not_fill_the_table(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_REFUSED", 5)
    _, token = api_key(community)
    for number in range(20):
        refusal("ch_0_0", f"198.51.100.{number}")
    assert KeyUse.objects.count() == 6
    assert uses(address="others") == [("others", "invalid_key", 15)]
    for number in range(20, 40):
        refusal("ch_0_0", f"198.51.100.{number}")
    assert refusal("ch_0_0", THERE).code == "too_many_attempts"
    assert authenticate(token, THERE)


def test_old_uses_go(community: Community, time_machine: Any) -> None:
    time_machine.move_to(NOON, tick=False)
    _, token = api_key(community)
    other, other_token = api_key(community)
    authenticate(token, HERE)
    authenticate(other_token, HERE)
    time_machine.move_to(NOON + limits.KEPT + timedelta(hours=1), tick=False)
    authenticate(token, THERE)
    assert uses() == [(HERE, "accepted", 1), (THERE, "accepted", 1)]
    assert KeyUse.objects.filter(key=other).count() == 1


@pytest.mark.parametrize(
    ("proxies", "forwarded", "code"),
    [
        (0, HERE, "address_not_allowed"),
        (1, f"{HERE}, {THERE}", "address_not_allowed"),
        (1, f"{THERE}, {HERE}", ""),
        (2, f"{HERE}, {THERE}, 10.0.0.2", "address_not_allowed"),
        (1, "", "address_not_allowed"),
        (1, f"{HERE}, ", "address_not_allowed"),
    ],
)
def test_an_address_that_a_caller_made_up_opens_nothing(
    community: Community, settings: Any, proxies: int, forwarded: str, code: str
) -> None:
    settings.PROXY_COUNT = proxies
    _, token = api_key(community, allowed_ips=HERE)
    headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.9", **headers)
    if code:
        assert refusal(token, client_address(request)).code == code
    else:
        assert authenticate(token, client_address(request))


def call(community: Community, **values: Any) -> KeyActor:
    return authenticate(api_key(community, **values)[1], HERE)


@pytest.fixture
def bugs() -> FeedbackType:
    made = factories.feedback_type()
    factories.one_of_everything(made)
    return made


def test_a_key_may_do_what_its_scopes_say(bugs: FeedbackType) -> None:
    owner, ticket = bugs.project.community, Feedback.objects.get()
    none = dict.fromkeys(
        [f"scope_{each}" for each in ("read", "write", "run", "listener", "data")],
        False,
    )
    macro = Macro.objects.get()

    def rights(**scopes: bool) -> list[bool]:
        actor = call(owner, **{**none, **scopes})
        return [
            may(actor, "feedback.view_feedback", ticket),
            may(actor, "feedback.change_feedback", ticket),
            actor.has_perm("feedback.add_comment"),
            may(actor, RUN_MACRO, macro),
            actor.has_perm("feedback.delete_feedback"),
            actor.has_perm("feedback.view_apikey"),
            actor.has_perm("macros.view_secret"),
        ]

    assert rights() == [False] * 7
    assert rights(scope_read=True) == [True] + [False] * 6
    assert rights(scope_write=True) == [False, True, True] + [False] * 4
    assert rights(scope_run=True) == [False] * 3 + [True] + [False] * 3
    assert rights(scope_listener=True, scope_data=True) == [False] * 7
    listener = call(owner, **{**none, "scope_listener": True})
    listener.require("listener")
    with pytest.raises(KeyRefused) as refused:
        listener.require("data")
    assert (refused.value.code, refused.value.status) == ("missing_scope", 403)
    assert uses(outcome="missing_scope", key=listener.key) == [
        (HERE, "missing_scope", 1)
    ]


def test_a_key_of_one_project_changes_nothing_that_all_projects_share(
    bugs: FeedbackType,
) -> None:
    """Its reach is as wide as what its rows show; see `Tenancy.is_many`."""
    scopes = {f"scope_{each}": True for each in KeyScope}
    _, token = api_key(bugs.project.community, project=bugs.project, **scopes)
    [access] = authenticate(token, HERE).accesses
    shared = [each for each in apps.get_models() if is_shared(each)]
    assert {each.__name__ for each in shared} >= {"Community", "Destination", "Tester"}
    names = {each._meta.model_name: each._meta.app_label for each in shared}
    assert {
        permission
        for permission in access.permissions
        for model, app in names.items()
        if permission.startswith(f"{app}.") and permission.endswith(f"_{model}")
    } == {f"{app}.view_{model}" for model, app in names.items()}


def is_shared(model: type[Model]) -> bool:
    tenancy = getattr(model, "tenancy", None)
    return bool(tenancy and tenancy.project and tenancy.is_many)


def test_a_key_stays_in_its_project_and_community(bugs: FeedbackType) -> None:
    owner = bugs.project.community
    watch = Project.objects.create(community=owner, name="Watch Beta")
    ideas = FeedbackType.objects.create(project=watch, name="Ideas", prefix="IDEA")
    factories.ticket(ideas)
    assert Feedback.objects.visible_to(call(owner)).count() == 2
    limited = call(owner, project=watch)
    assert [row.feedback_type for row in Feedback.objects.visible_to(limited)] == [
        ideas
    ]
    stranger = call(Community.objects.create(name="Others"))
    assert not Feedback.objects.visible_to(stranger).exists()
    assert not Community.objects.visible_to(stranger).filter(pk=owner.pk).exists()


def test_people_are_told_of_the_first_use_and_then_daily(
    community: Community, time_machine: Any, django_capture_on_commit_callbacks: Any
) -> None:
    time_machine.move_to(NOON, tick=False)
    key, token = api_key(
        community, name="BI tool", notify_emails="a@example.com, b@example.com"
    )
    quiet, quiet_token = api_key(community)

    def use(at: timedelta) -> int:
        time_machine.move_to(NOON + at, tick=False)
        with django_capture_on_commit_callbacks(execute=True):
            authenticate(token, HERE)
            authenticate(quiet_token, HERE)
        return len(mail.outbox)

    day = timedelta(days=1)
    assert [use(timedelta(0)), use(timedelta(hours=1)), use(day / 2)] == [1, 1, 1]
    assert [use(day), use(day * 1.5), use(day * 9)] == [2, 2, 3]
    first = mail.outbox[0]
    assert first.subject == "API key BI tool was used"
    assert first.to == ["a@example.com", "b@example.com"]
    assert f"at 01 May 2026, 12:30 UTC from {HERE}." in first.body
    assert f"/admin/feedback/apikey/{key.pk}/change/" in first.body
    assert token not in first.body


@pytest.mark.django_db(transaction=True)
def test_a_mail_server_that_is_away_fails_no_call(
    community: Community, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    key, token = api_key(community, notify_emails="a@example.com")
    assert authenticate(token, HERE).key == key
    assert "Connection refused" in caplog.text
    assert uses() == [(HERE, "accepted", 1)]


@pytest.mark.django_db(transaction=True)
def test_no_use_is_lost_when_many_come_at_once(community: Community) -> None:
    key, token = api_key(community, notify_emails="a@example.com")

    def use(number: int) -> None:
        try:
            authenticate(token, HERE)
            if number % 4 == 0:
                refusal("ch_0_0", THERE)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(use, range(80)))
    key.refresh_from_db()
    assert key.use_count == 80
    assert sorted(uses()) == [(THERE, "invalid_key", 20), (HERE, "accepted", 80)]
    assert len(mail.outbox) == 1
    assert ApiKey.objects.get().token_hash == key.token_hash


def test_a_key_at_work_is_somebody_and_no_staff(community: Community) -> None:
    """Whatever asks as Django does: `request.user.is_anonymous`."""
    _, token = api_key(community)
    actor = authenticate(token, HERE)
    assert actor.is_authenticated and not actor.is_anonymous
    assert not actor.is_staff and not actor.is_superuser
