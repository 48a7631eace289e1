"""After the password, a code: nothing opens before it, at whatever door."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from centerhook.urls import urlpatterns as ours
from tests import factories

from . import authenticator

if TYPE_CHECKING:
    from pytest_django import Settings

SignIn = Callable[..., HttpResponse]
CODE_PAGE = "/admin/second-factor/code/"
SET_UP_PAGE = "/admin/second-factor/set-up/"


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.user.get_username())


async def asynchronous(request: HttpRequest) -> HttpResponse:
    return HttpResponse((await request.auser()).get_username())


urlpatterns = [
    *ours,
    path("who/", plain),
    path("async/who/", asynchronous),
]


@pytest.fixture
def key(olivia: User, client: Client) -> str:
    """The key of olivia's app, which is set up; the client is signed out again."""
    client.force_login(olivia)
    key, _ = authenticator.set_up(client)
    client.logout()
    return key


def test_it_is_set_up_by_scanning_and_typing_a_code(
    olivia: User, client: Client
) -> None:
    client.force_login(olivia)
    page = client.get(SET_UP_PAGE)
    assert 'src="data:image/svg+xml' in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    key = authenticator.key_on(page)
    page = client.post(SET_UP_PAGE, {"code": authenticator.code(key)})
    assert len(authenticator.recovery_codes_on(page)) == 10
    assert "no-store" in page["Cache-Control"]
    assert client.get("/admin/").status_code == 200, "this session stays signed in"
    assert "On." in client.get("/admin/second-factor/").content.decode()


def test_it_is_not_switched_on_by_a_wrong_code(olivia: User, client: Client) -> None:
    client.force_login(olivia)
    key = authenticator.key_on(client.get(SET_UP_PAGE))
    page = client.post(SET_UP_PAGE, {"code": authenticator.code(key, ahead=99)})
    assert "That code does not fit" in page.content.decode()
    assert authenticator.key_on(page) == key, "what was scanned is still good"
    assert TOTPDevice.objects.count() == 0


def test_another_session_sets_up_another_key(olivia: User) -> None:
    keys = set()
    for client in (Client(), Client()):
        client.force_login(olivia)
        keys.add(authenticator.key_on(client.get(SET_UP_PAGE)))
    assert len(keys) == 2


def test_after_the_password_the_code_is_asked_for(
    key: str, client: Client, sign_in: SignIn
) -> None:
    response = sign_in(client, "olivia")
    page = client.get(response.url, follow=True)
    assert page.redirect_chain[-1] == (f"{CODE_PAGE}?next=%2Fadmin%2F", 302)
    assert "authenticator app" in page.content.decode()
    response = client.post(
        page.request["PATH_INFO"] + "?next=/admin/logs/run/",
        {"code": authenticator.code(key)},
    )
    assert response.url == "/admin/logs/run/"
    assert client.get("/admin/logs/run/").status_code == 200


def test_it_leads_to_no_other_site(key: str, client: Client, sign_in: SignIn) -> None:
    sign_in(client, "olivia")
    url = f"{CODE_PAGE}?next=https://evil.example/"
    response = client.post(url, {"code": authenticator.code(key)})
    assert response.url == "/admin/"


def by_itself(client: Client, url: str) -> bytes:
    """Asked in a thread of its own: a browser of other tests keeps a loop in ours."""

    def ask() -> bytes:
        try:
            return client.get(url).content
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(ask).result()


@pytest.mark.django_db(transaction=True)
@pytest.mark.urls("tests.sign_in.test_second_factor")
def test_before_the_code_no_door_knows_the_person(
    key: str, client: Client, sign_in: SignIn
) -> None:
    factories.feedback_type("Unreleased phone")
    sign_in(client, "olivia")
    for url in ("/admin/", "/admin/auth/user/", "/admin/password_change/"):
        assert client.get(url).url == f"/admin/login/?next={url}"
    for url in ("", "off/", "recovery-codes/"):
        assert "/login/" in client.get(f"/admin/second-factor/{url}").url
    assert client.get(SET_UP_PAGE).status_code == 302
    assert client.get("/api/v1/").status_code == 401
    assert client.get("/who/").content == by_itself(client, "/async/who/") == b""
    assert "Unreleased phone" not in client.get(CODE_PAGE).content.decode()

    client.post(CODE_PAGE, {"code": authenticator.code(key)})
    assert client.get("/api/v1/").status_code == 200
    assert client.get("/who/").content == by_itself(client, "/async/who/") == b"olivia"


def test_a_wrong_code_lets_nobody_in(key: str, client: Client, sign_in: SignIn) -> None:
    sign_in(client, "olivia")
    wrong = authenticator.code(key, ahead=99)
    page = client.post(CODE_PAGE, {"code": wrong})
    assert "That code does not fit" in page.content.decode()
    assert client.get("/admin/").status_code == 302


def test_after_wrong_codes_even_the_right_one_has_to_wait(
    key: str, client: Client, sign_in: SignIn
) -> None:
    sign_in(client, "olivia")
    client.post(CODE_PAGE, {"code": authenticator.code(key, ahead=99)})
    # The wait doubles each time; as if there had been more of them.
    device = TOTPDevice.objects.get()
    device.throttling_failure_count = 8
    device.save()
    page = client.post(CODE_PAGE, {"code": authenticator.code(key)})
    assert "There were 8 wrong codes in a row. Wait 2 minutes" in page.content.decode()
    assert client.get("/admin/").status_code == 302


def test_a_code_works_once(key: str, sign_in: SignIn) -> None:
    first, second = Client(), Client()
    code = authenticator.code(key)
    sign_in(first, "olivia")
    sign_in(second, "olivia")
    assert first.post(CODE_PAGE, {"code": code}).status_code == 302
    assert (
        "A code works once" in second.post(CODE_PAGE, {"code": code}).content.decode()
    )


def test_another_persons_code_does_not_fit(
    key: str, nora: User, client: Client, sign_in: SignIn
) -> None:
    noras = Client()
    noras.force_login(nora)
    her_key, _ = authenticator.set_up(noras)
    sign_in(client, "olivia")
    page = client.post(CODE_PAGE, {"code": authenticator.code(her_key)})
    assert "does not fit" in page.content.decode()


def test_a_session_from_before_has_to_give_a_code_too(
    olivia: User, client: Client
) -> None:
    before = Client()
    before.force_login(olivia)
    assert before.get("/admin/").status_code == 200
    client.force_login(olivia)
    authenticator.set_up(client)
    assert before.get("/admin/").status_code == 302


def test_the_sessions_key_changes_with_the_code(
    key: str, client: Client, sign_in: SignIn
) -> None:
    sign_in(client, "olivia")
    before = client.session.session_key
    client.post(CODE_PAGE, {"code": authenticator.code(key)})
    assert client.session.session_key != before


def test_half_way_one_may_leave_and_be_somebody_else(
    key: str, nora: User, client: Client, sign_in: SignIn
) -> None:
    sign_in(client, "olivia")
    response = client.post("/admin/second-factor/leave/")
    assert response.url == "/admin/login/"
    assert client.get(CODE_PAGE).url == "/admin/"
    assert "login-form" in client.get("/admin/login/").content.decode()
    sign_in(client, "nora")
    assert client.get("/admin/").status_code == 200


class TestWhenItIsRequired:
    @pytest.fixture(autouse=True)
    def required(self, settings: Settings) -> None:
        settings.REQUIRE_SECOND_FACTOR = True

    @pytest.mark.urls("tests.sign_in.test_second_factor")
    def test_nothing_else_opens_until_it_is_set_up(
        self, nora: User, client: Client, sign_in: SignIn
    ) -> None:
        sign_in(client, "nora")
        page = client.get("/admin/", follow=True)
        assert page.redirect_chain[-1] == (f"{SET_UP_PAGE}?next=%2Fadmin%2F", 302)
        assert "Set yours up to go on." in page.content.decode()
        assert "user-tools" not in page.content.decode()
        assert client.get("/api/v1/").status_code == 401
        assert client.get("/admin/second-factor/off/").status_code == 302
        authenticator.set_up(client)
        assert client.get("/api/v1/").status_code == 200
        assert client.get("/admin/").status_code == 200

    def test_without_a_password_there_is_no_set_up(self, client: Client) -> None:
        assert "/admin/login/" in client.get(SET_UP_PAGE).url

    def test_switching_it_off_leads_to_setting_it_up(
        self, olivia: User, client: Client
    ) -> None:
        client.force_login(olivia)
        key, _ = authenticator.set_up(client)
        code = authenticator.code(key)
        page = client.post("/admin/second-factor/off/", {"code": code}, follow=True)
        assert page.request["PATH_INFO"] == SET_UP_PAGE
        assert authenticator.key_on(page) != key


def test_no_recovery_code_is_kept_as_it_is(olivia: User, client: Client) -> None:
    client.force_login(olivia)
    _, codes = authenticator.set_up(client)
    kept = set(StaticToken.objects.values_list("token", flat=True))
    assert len(kept) == 10
    assert not kept & {form for code in codes for form in (code, code.replace("-", ""))}
