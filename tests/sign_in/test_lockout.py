"""Guessing passwords is stopped, without locking out anybody else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

if TYPE_CHECKING:
    from pytest_django import Settings

SignIn = Callable[..., HttpResponse]
TRIES = 5


@pytest.fixture
def fail(sign_in: SignIn) -> Callable[..., HttpResponse]:
    """Sign in with wrong passwords until the name is locked."""

    def fail(name: str = "olivia", **headers: str) -> HttpResponse:
        for number in range(TRIES):
            response = sign_in(Client(), name, f"wrong {number}", **headers)
        return response

    return fail


def test_the_fifth_wrong_password_locks(
    olivia: User, sign_in: SignIn, client: Client
) -> None:
    seen = [sign_in(client, "olivia", "wrong").status_code for _ in range(TRIES)]
    assert seen == [200, 200, 200, 200, 429]
    assert sign_in(client, "olivia").status_code == 429
    assert "_auth_user_id" not in client.session


def test_the_page_says_what_happened_for_how_long_and_what_to_do(
    olivia: User, fail: SignIn
) -> None:
    response = fail()
    html = response.content.decode()
    assert "5 failed sign-ins as" in html and ">olivia<" in html
    assert "for 15 minutes" in html
    assert "ask whoever runs CenterHook to unlock you" in html
    assert response["Retry-After"] == "900"


def test_a_name_that_nobody_has_is_locked_in_the_same_way(
    db: None, fail: SignIn
) -> None:
    assert fail("nobody").status_code == 429


def test_others_at_the_same_address_get_in(
    olivia: User, nora: User, fail: SignIn, sign_in: SignIn, client: Client
) -> None:
    fail("nora")
    assert sign_in(client, "olivia").status_code == 302


def test_strangers_do_not_lock_a_person_out(
    olivia: User, fail: SignIn, sign_in: SignIn, client: Client
) -> None:
    fail("olivia", REMOTE_ADDR="203.0.113.9")
    assert sign_in(client, "olivia").status_code == 302


def test_behind_a_proxy_the_address_is_the_callers(
    olivia: User, fail: SignIn, sign_in: SignIn, settings: Settings
) -> None:
    settings.PROXY_COUNT = 1
    fail("olivia", HTTP_X_FORWARDED_FOR="6.6.6.6, 203.0.113.9")
    elsewhere = {"HTTP_X_FORWARDED_FOR": "203.0.113.9, 198.51.100.7"}
    assert sign_in(Client(), "olivia", **elsewhere).status_code == 302
    invented = {"HTTP_X_FORWARDED_FOR": "198.51.100.7, 203.0.113.9"}
    assert sign_in(Client(), "olivia", **invented).status_code == 429


def test_of_ipv6_the_network_is_locked(
    olivia: User, fail: SignIn, sign_in: SignIn
) -> None:
    fail("olivia", REMOTE_ADDR="2001:db8:0:1::5")
    same = sign_in(Client(), "olivia", REMOTE_ADDR="2001:db8:0:1:ffff::77")
    other = sign_in(Client(), "olivia", REMOTE_ADDR="2001:db8:0:2::5")
    assert (same.status_code, other.status_code) == (429, 302)


def test_without_an_address_it_is_locked_too(
    olivia: User, fail: SignIn, sign_in: SignIn, client: Client
) -> None:
    """Behind a Unix socket, with PROXY_COUNT forgotten."""
    assert fail("olivia", REMOTE_ADDR="").status_code == 429
    assert sign_in(client, "olivia", REMOTE_ADDR="").status_code == 429


def test_the_lock_ends_by_itself_and_trying_does_not_make_it_longer(
    olivia: User, fail: SignIn, sign_in: SignIn, client: Client
) -> None:
    now: datetime = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        fail()
        clock.move_to(now + timedelta(minutes=14))
        assert sign_in(client, "olivia").status_code == 429
        clock.move_to(now + timedelta(minutes=16))
        assert sign_in(client, "olivia").status_code == 302


def test_signing_in_forgets_the_failures_before(
    olivia: User, sign_in: SignIn, client: Client
) -> None:
    for _ in range(3):
        for _ in range(TRIES - 1):
            sign_in(Client(), "olivia", "wrong")
        assert sign_in(client, "olivia").status_code == 302


def test_an_operator_unlocks_by_a_command(
    olivia: User, fail: SignIn, sign_in: SignIn, client: Client
) -> None:
    fail()
    call_command("axes_reset_username", "olivia", verbosity=0)
    assert sign_in(client, "olivia").status_code == 302


def test_a_superuser_unlocks_in_the_list_of_users(
    olivia: User, nora: User, fail: SignIn, sign_in: SignIn, client: Client
) -> None:
    fail("nora")
    client.force_login(olivia)
    fields = {"action": "unlock", "_selected_action": [nora.pk]}
    page = client.post("/admin/auth/user/", fields, follow=True)
    assert "Unlocked sign-in for 1 of the chosen people." in page.content.decode()
    assert sign_in(Client(), "nora").status_code == 302
