"""The provider's subject is the person; the e-mail address leads there only once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from centerhook.sign_in.accounts import name_of
from centerhook.sign_in.models import Identity
from logs.models import AuditEntry

from .arriving import arrive, is_in, refusal
from .provider import Provider

if TYPE_CHECKING:
    from pytest_django import Settings


def speak_of(provider: Provider, subject: str, email: str, **claims: object) -> None:
    provider.token_changes = {"sub": subject}
    provider.info = {"sub": subject, "email": email, "email_verified": True, **claims}


def who(provider: Provider) -> str:
    """The user name under which one arrives; empty for nobody."""
    client = Client()
    arrive(client, provider)
    return client.get("/admin/").context["user"].username if is_in(client) else ""


def test_a_new_account_is_named_by_no_address(
    provider: Provider, client: Client, db: None, settings: Settings
) -> None:
    settings.OIDC_CREATE_USER = True
    arrive(client, provider)
    made = User.objects.get()
    assert made.username == name_of(provider.url, "person-1")
    assert made.email == "nora@example.com"
    assert made.is_staff and not made.is_superuser and not made.has_usable_password()
    page = client.get("/admin/").content.decode()
    assert "Nothing here yet" in page
    assert f"Your user name here is <strong>{made.username}</strong>" in page


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("https://a", "1"), ("https://b", "1")),
        (("https://a", "1"), ("https://a", "2")),
        (("https://a", "x"), ("https://a", "X")),
    ],
)
def test_a_name_is_of_one_subject_of_one_issuer(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    assert name_of(*one) != name_of(*other) and name_of(*one) == name_of(*one)
    assert name_of(*one).startswith("sso-") and len(name_of(*one)) == 24


@pytest.mark.parametrize("creates", [False, True])
def test_whoever_gets_another_address_stays_the_same_person(
    provider: Provider, nora: User, settings: Settings, creates: bool
) -> None:
    settings.OIDC_CREATE_USER = creates
    assert who(provider) == "nora"
    speak_of(provider, "person-1", "nora.new@example.com")
    assert who(provider) == "nora"
    nora.refresh_from_db()
    assert nora.email == "nora.new@example.com" and User.objects.count() == 1
    entry = AuditEntry.objects.filter(object_type="auth.user", action="changed").first()
    assert entry and entry.changes["email"][1] == "nora.new@example.com"


def test_an_unverified_address_is_not_taken_over(
    provider: Provider, nora: User
) -> None:
    assert who(provider) == "nora"
    speak_of(provider, "person-1", "boss@example.com", email_verified=False)
    assert who(provider) == "nora"
    nora.refresh_from_db()
    assert nora.email == "nora@example.com"


@pytest.mark.parametrize("creates", [False, True])
def test_whoever_gets_the_address_of_another_does_not_get_the_account(
    provider: Provider, nora: User, settings: Settings, creates: bool
) -> None:
    settings.OIDC_CREATE_USER = creates
    assert who(provider) == "nora"
    speak_of(provider, "person-2", "nora@example.com")
    reason = refusal(arrive(Client(), provider))
    assert "nora@example.com is linked to another person" in reason
    assert User.objects.count() == Identity.objects.count() == 1


def test_an_address_that_was_given_on_leads_to_an_account_of_its_own(
    provider: Provider, nora: User, settings: Settings
) -> None:
    settings.OIDC_CREATE_USER = True
    who(provider)
    speak_of(provider, "person-1", "nora.new@example.com")
    who(provider)
    speak_of(provider, "person-2", "nora@example.com")
    assert who(provider) == name_of(provider.url, "person-2")


def test_an_account_is_found_by_no_user_name(
    provider: Provider, client: Client, db: None, settings: Settings
) -> None:
    settings.OIDC_CREATE_USER = True
    taken = name_of(provider.url, "person-1")
    for name in ("nora@example.com", taken):
        User.objects.create_superuser(name, "boss@example.com")
    assert "No account can be made" in refusal(arrive(client, provider))
    assert not is_in(client) and not Identity.objects.exists()


def test_letters_that_only_look_the_same_are_another_mailbox(
    provider: Provider, db: None
) -> None:
    """They are one where people search, but not where somebody signs in."""
    User.objects.create_user("ann", "strasse@example.com", is_staff=True)
    for name in ("straße", "stra\u00adsse", "\uff53trasse"):
        speak_of(provider, "person-3", f"{name}@example.com")
        assert "No active account" in refusal(arrive(Client(), provider))


@pytest.mark.parametrize("subject", ["", "x" * 256, "a\ud800"])
def test_a_subject_that_names_nobody_is_refused(
    provider: Provider, nora: User, subject: str
) -> None:
    speak_of(provider, subject, "nora@example.com")
    assert "could not be checked" in refusal(arrive(Client(), provider))


def test_a_superuser_unlinks_whom_the_provider_has_made_anew(
    provider: Provider, nora: User, olivia: User
) -> None:
    who(provider)
    page = Client()
    page.force_login(olivia, "django.contrib.auth.backends.ModelBackend")
    data = {"action": "unlink", "_selected_action": [nora.pk, olivia.pk]}
    shown = page.post(reverse("admin:auth_user_changelist"), data, follow=True)
    assert "Single sign-on is unlinked for nora." in shown.content.decode()
    speak_of(provider, "person-2", "nora@example.com")
    assert who(provider) == "nora"
    assert Identity.objects.get().subject == "person-2"
