"""Single sign-on: the provider says who, the accounts here say who may come in."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.auth.models import User
from django.test import Client

from centerhook.checks.limits import check_single_sign_on

from . import authenticator
from .arriving import arrive, is_in, refusal
from .conftest import PASSWORD
from .provider import Provider

if TYPE_CHECKING:
    from pytest_django import Settings


def test_the_login_page_offers_it(provider: Provider, client: Client) -> None:
    html = client.get("/admin/login/?next=/admin/logs/run/").content.decode()
    assert "Sign in with Example Corp" in html
    assert 'href="/single-sign-on/start/?next=/admin/logs/run/"' in html


def test_switched_off_there_is_no_trace_of_it(db: None, client: Client) -> None:
    assert "other-way" not in client.get("/admin/login/").content.decode()
    assert client.get("/single-sign-on/start/").status_code == 404


def test_a_known_person_gets_in(provider: Provider, nora: User, client: Client) -> None:
    response = arrive(client, provider)
    assert response.url == "/admin/logs/run/"
    assert client.get("/admin/").context["user"] == nora
    callback = "https://hooks.example.com/single-sign-on/callback/"
    assert provider.asked["redirect_uri"] == callback
    assert provider.asked["code_challenge_method"] == "S256"
    assert len(provider.asked["nonce"]) == 32
    assert len(provider.redeemed) == 1


def test_the_case_of_the_address_does_not_matter(
    provider: Provider, nora: User, client: Client
) -> None:
    provider.info["email"] = "Nora@Example.com"
    arrive(client, provider)
    assert is_in(client)


def test_it_gives_no_rights(provider: Provider, nora: User, client: Client) -> None:
    provider.info |= {"is_superuser": True, "groups": ["admins"]}
    arrive(client, provider)
    nora.refresh_from_db()
    assert not nora.is_superuser
    assert client.get("/admin/auth/user/").status_code == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"aud": "another-client"},
        {"iss": "https://another.example"},
        {"exp": int(time.time()) - 3600},
        {"sub": "person-2"},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_a_token_for_something_else_is_refused(
    provider: Provider, nora: User, client: Client, changes: dict[str, Any]
) -> None:
    provider.token_changes = changes
    response = arrive(client, provider)
    assert refusal(response) == "The provider&#x27;s response could not be checked."
    assert not is_in(client)


def test_a_forged_token_is_refused(
    provider: Provider, nora: User, client: Client
) -> None:
    provider.signing_key = rsa.generate_private_key(65537, 2048)
    assert "could not be checked" in refusal(arrive(client, provider))
    assert not is_in(client)


def test_a_provider_that_is_down_is_said_to_be_so(
    provider: Provider, nora: User, client: Client
) -> None:
    provider.is_down = True
    assert "could not be checked" in refusal(arrive(client, provider))


@pytest.mark.parametrize("verified", [False, None, "false", "true", 1])
def test_an_unverified_address_proves_nothing(
    provider: Provider, nora: User, client: Client, verified: object
) -> None:
    provider.info["email_verified"] = verified
    reason = refusal(arrive(client, provider))
    assert reason == "The provider has not verified that nora@example.com is yours."
    assert not is_in(client)


def test_an_unknown_person_is_told_whom_to_ask(
    provider: Provider, nora: User, client: Client
) -> None:
    provider.info["email"] = "mallory@example.com"
    reason = refusal(arrive(client, provider))
    assert reason == "No active account has the e-mail address mallory@example.com."
    assert User.objects.count() == 1 and not is_in(client)


def test_a_letter_that_only_looks_the_same_is_another(
    provider: Provider, olivia: User, client: Client
) -> None:
    """A dotless i: PostgreSQL takes it for the same in capitals."""
    provider.info["email"] = "ol\u0131via@example.com"
    assert "No active account" in refusal(arrive(client, provider))
    assert not is_in(client)


@pytest.mark.parametrize("flag", ["is_active", "is_staff"])
@pytest.mark.parametrize("creates", [False, True])
def test_who_was_let_go_stays_out(
    provider: Provider,
    nora: User,
    client: Client,
    settings: Settings,
    flag: str,
    creates: bool,
) -> None:
    settings.OIDC_CREATE_USER = creates
    User.objects.update(**{flag: False})
    assert "No active account" in refusal(arrive(client, provider))
    assert User.objects.count() == 1 and not is_in(client)


def test_who_is_let_go_is_out_at_once(
    provider: Provider, nora: User, client: Client
) -> None:
    arrive(client, provider)
    assert is_in(client)
    User.objects.update(is_active=False)
    assert not is_in(client)


def test_two_accounts_with_one_address_are_not_guessed_between(
    provider: Provider, nora: User, client: Client
) -> None:
    User.objects.create_user("nora2", "NORA@example.com", is_staff=True)
    assert "Several accounts" in refusal(arrive(client, provider))


def test_a_link_from_somebody_else_signs_nobody_in(
    provider: Provider, nora: User, client: Client
) -> None:
    provider.authorize(Client().get("/single-sign-on/start/").url)
    stolen = {"code": "a-code", "state": provider.asked["state"]}
    for victim in (client, Client()):
        response = victim.get("/single-sign-on/callback/", stolen)
        assert "started elsewhere" in refusal(response)
        victim.get("/single-sign-on/start/")
    assert "started elsewhere" in refusal(arrive(client, provider, state="invented"))
    assert provider.redeemed == []


def test_a_link_to_an_error_signs_nobody_out(
    provider: Provider, nora: User, client: Client
) -> None:
    arrive(client, provider)
    response = client.get("/single-sign-on/callback/?error=access_denied&state=x")
    assert refusal(response) == "The provider did not sign you in."
    assert is_in(client)


def test_it_leads_to_no_other_site(
    provider: Provider, nora: User, client: Client
) -> None:
    start = client.get("/single-sign-on/start/?next=https://evil.example/")
    brought = provider.authorize(start.url)
    assert client.get("/single-sign-on/callback/", brought).url == "/admin/"


def test_refusals_lock_nobody_out(
    provider: Provider, nora: User, client: Client
) -> None:
    provider.info["email"] = "mallory@example.com"
    for _ in range(8):
        assert arrive(Client(), provider).status_code == 403
    provider.info["email"] = "nora@example.com"
    arrive(client, provider)
    assert is_in(client)


def test_a_password_is_never_asked_about_at_the_provider(
    provider: Provider, nora: User, client: Client
) -> None:
    fields = {"username": "nora", "password": "wrong"}
    client.post("/admin/login/?code=a-code&state=any", fields)
    assert provider.redeemed == [] and not is_in(client)
    client.post("/admin/login/", {**fields, "password": PASSWORD})
    assert is_in(client)


def test_the_second_factor_is_asked_for_as_well(
    provider: Provider, nora: User, client: Client
) -> None:
    before = Client()
    before.force_login(nora, "django.contrib.auth.backends.ModelBackend")
    key, _ = authenticator.set_up(before)
    arrive(client, provider)
    assert not is_in(client)
    client.post("/admin/second-factor/code/", {"code": authenticator.code(key)})
    assert is_in(client)


def test_the_checks_say_what_is_missing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check_single_sign_on() == []
    settings.OIDC_ISSUER = "https://id.example"
    settings.OIDC_OP_AUTHORIZATION_ENDPOINT = "https://id.example/authorize"
    settings.OIDC_OP_TOKEN_ENDPOINT = "http://id.example/token"
    monkeypatch.setitem(sys.modules, "mozilla_django_oidc", None)
    errors = {error.id: error for error in check_single_sign_on()}
    assert list(errors) == ["centerhook.E202", "centerhook.E203", "centerhook.E204"]
    assert "requirements-oidc.txt" in str(errors["centerhook.E202"].hint)
    missing = errors["centerhook.E203"].msg
    assert "OIDC_OP_JWKS_ENDPOINT" in missing and "OIDC_RP_CLIENT_SECRET" in missing
    assert "AUTHORIZATION" not in missing
    assert errors["centerhook.E204"].msg.startswith("OIDC_OP_TOKEN_ENDPOINT is not")
