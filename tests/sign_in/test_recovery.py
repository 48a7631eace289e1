"""What helps when the phone is not there, and what does not help a thief."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.test import Client
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from logs.models import AuditEntry

from . import authenticator

SignIn = Callable[..., HttpResponse]
CODE_PAGE = "/admin/second-factor/code/"
OFF_PAGE = "/admin/second-factor/off/"
NEW_PAGE = "/admin/second-factor/recovery-codes/"


@pytest.fixture
def page(nora: User, client: Client) -> Client:
    """Signed in as nora, who has no second factor yet."""
    client.force_login(nora)
    return client


@pytest.fixture
def codes(page: Client) -> Sequence[str]:
    """Nora's recovery codes."""
    return authenticator.set_up(page)[1]


def has_passed(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def test_a_recovery_code_lets_in_once(codes: Sequence[str], sign_in: SignIn) -> None:
    first, second = Client(), Client()
    sign_in(first, "nora")
    first.post(CODE_PAGE, {"code": codes[0]})
    assert has_passed(first)
    assert (
        "You have 9 recovery codes"
        in first.get("/admin/second-factor/").content.decode()
    )
    sign_in(second, "nora")
    second.post(CODE_PAGE, {"code": codes[0]})
    assert not has_passed(second)


def test_it_may_be_typed_in_any_case_with_or_without_dashes(
    codes: Sequence[str], client: Client, sign_in: SignIn
) -> None:
    client.logout()
    sign_in(client, "nora")
    client.post(CODE_PAGE, {"code": f" {codes[0].upper().replace('-', ' ')} "})
    assert has_passed(client)


def test_guessing_recovery_codes_has_to_wait(
    codes: Sequence[str], sign_in: SignIn
) -> None:
    client = Client()
    sign_in(client, "nora")
    client.post(CODE_PAGE, {"code": "aaaa-bbbb-cccc-dddd"})
    page = client.post(CODE_PAGE, {"code": codes[0]})
    assert "There were 1 wrong codes in a row" in page.content.decode()
    assert not has_passed(client)


def test_a_code_of_somebody_else_does_not_fit(
    codes: Sequence[str], olivia: User, sign_in: SignIn
) -> None:
    hers = Client()
    hers.force_login(olivia)
    _, her_codes = authenticator.set_up(hers)
    client = Client()
    sign_in(client, "nora")
    client.post(CODE_PAGE, {"code": her_codes[0]})
    assert not has_passed(client)


def test_new_codes_replace_the_old(page: Client, sign_in: SignIn) -> None:
    key, old = authenticator.set_up(page)
    shown = page.post(NEW_PAGE, {"code": authenticator.code(key)})
    new = authenticator.recovery_codes_on(shown)
    assert len(new) == 10 and not set(new) & set(old)
    assert has_passed(page)
    with_old, with_new = Client(), Client()
    sign_in(with_new, "nora")
    with_new.post(CODE_PAGE, {"code": new[0]})
    sign_in(with_old, "nora")
    with_old.post(CODE_PAGE, {"code": old[0]})
    assert (has_passed(with_new), has_passed(with_old)) == (True, False)


@pytest.mark.parametrize("url", [NEW_PAGE, OFF_PAGE])
def test_an_unlocked_computer_is_not_enough(
    page: Client, codes: Sequence[str], url: str
) -> None:
    shown = page.post(url, {"code": "123123"})
    assert "does not fit" in shown.content.decode()
    assert not authenticator.recovery_codes_on(shown)
    assert TOTPDevice.objects.count() == StaticDevice.objects.count() == 1


def test_it_is_switched_off_with_a_recovery_code(
    page: Client, codes: Sequence[str], sign_in: SignIn
) -> None:
    shown = page.post(OFF_PAGE, {"code": codes[3]}, follow=True)
    assert "The second factor is switched off." in shown.content.decode()
    assert TOTPDevice.objects.count() == StaticDevice.objects.count() == 0
    client = Client()
    sign_in(client, "nora")
    assert has_passed(client)


def test_a_superuser_removes_it_after_a_question(
    nora: User, codes: Sequence[str], olivia: User, sign_in: SignIn
) -> None:
    boss = Client()
    boss.force_login(olivia)
    chosen = {"action": "remove_second_factor", "_selected_action": [nora.pk]}
    question = boss.post("/admin/auth/user/", chosen)
    assert "Be sure that the request really comes from" in question.content.decode()
    assert TOTPDevice.objects.count() == 1
    done = boss.post("/admin/auth/user/", {**chosen, "confirmed": "yes"}, follow=True)
    assert "The second factor was removed for nora." in done.content.decode()
    entries = AuditEntry.objects.filter(object_id=nora.pk, action="changed")
    assert entries.get().detail == "Removed the second factor."
    client = Client()
    sign_in(client, "nora")
    assert has_passed(client)


def test_only_a_superuser_removes_it(
    nora: User, codes: Sequence[str], sign_in: SignIn
) -> None:
    mallory = User.objects.create_user("mallory", is_staff=True)
    mallory.user_permissions.set(Permission.objects.all())
    client = Client()
    client.force_login(mallory)
    chosen = {"action": "remove_second_factor", "_selected_action": [nora.pk]}
    client.post("/admin/auth/user/", {**chosen, "confirmed": "yes"})
    assert TOTPDevice.objects.count() == 1


def test_nobody_sees_the_keys_of_others(olivia: User, client: Client) -> None:
    client.force_login(olivia)
    for url in ("/admin/otp_totp/totpdevice/", "/admin/otp_static/staticdevice/"):
        assert client.get(url).status_code == 404


def test_a_command_removes_it(nora: User, codes: Sequence[str]) -> None:
    call_command("remove_second_factor", "nora")
    assert TOTPDevice.objects.count() == StaticDevice.objects.count() == 0
    with pytest.raises(CommandError, match="nora has no second factor"):
        call_command("remove_second_factor", "nora")
    with pytest.raises(CommandError, match="no person named norah"):
        call_command("remove_second_factor", "norah")
