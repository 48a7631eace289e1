"""The second factor: a code of an authenticator app, or a recovery code."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Callable
from enum import Enum
from functools import cache
from typing import Any, TypeAlias

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django_otp import DEVICE_ID_SESSION_KEY, verify_token
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

Device: TypeAlias = TOTPDevice | StaticDevice
RECOVERY_CODES = 10


class Step(Enum):
    """What is left to do after the password; the value names the page to do it on."""

    CODE = "admin:second_factor_code"
    SET_UP = "admin:second_factor_set_up"


class SecondFactorRefused(Exception):
    """A code is not accepted; the message is for the person."""


class SecondFactorMiddleware:
    """Nobody is signed in before the second factor, on whatever page.

    `request.person` is who gave the right password; only the pages of the second factor
    use it. `request.user` is the same once nothing is left to do.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        person = request.user

        @cache
        def user() -> User | AnonymousUser:
            return AnonymousUser() if step_left(person) else person

        setattr(request, "person", person)  # noqa: B010 - unknown to the type
        request.user = SimpleLazyObject(user)  # type: ignore[assignment]
        request.auser = sync_to_async(user)
        return self.get_response(request)


def step_left(person: Any) -> Step | None:
    """What a person must still do; django-otp adds `is_verified` to them."""
    if not person.is_authenticated or person.is_verified():
        return None
    if is_set_up(person):
        return Step.CODE
    return Step.SET_UP if settings.REQUIRE_SECOND_FACTOR else None


def is_set_up(person: User) -> bool:
    return bool(TOTPDevice.objects.filter(user=person, confirmed=True).exists())


def set_up(person: User, key: str, typed: str) -> TOTPDevice:
    """Keep the app's key once a code shows that the app has it.

    Raises SecondFactorRefused.
    """
    with transaction.atomic():
        device = TOTPDevice.objects.create(
            user=person, key=key, name="Authenticator app", confirmed=False
        )
        if device.verify_token(_plain(typed)):
            device.confirmed = True
            device.save(update_fields=["confirmed"])
            return device
        device.delete()
    raise SecondFactorRefused(
        "That code does not fit. Check that the phone's clock is right, and type the"
        " code that the app shows now."
    )


def key_to_type(device: TOTPDevice) -> str:
    """The app's key for people who can't scan it."""
    return " ".join(re.findall("....", base64.b32encode(device.bin_key).decode()))


def check(person: User, typed: str) -> Device:
    """The device whose code this is, which uses the code up.

    Raises SecondFactorRefused.
    """
    code = _plain(typed)
    is_from_app = re.fullmatch("[0-9]{6}", code) is not None
    model = TOTPDevice if is_from_app else StaticDevice
    for device in model.objects.filter(user=person, confirmed=True):
        is_allowed, why = device.verify_is_allowed()
        if not is_allowed:
            raise SecondFactorRefused(_wait(why))
        token = code if is_from_app else _digest(device, code)
        if verify_token(person, device.persistent_id, token):
            return device
    raise SecondFactorRefused(
        "That code does not fit. A code works once: wait for the app's next one, or use"
        " a recovery code that you have not used yet."
    )


def remember(request: HttpRequest, device: Device) -> None:
    """Marks the session as verified. Its key changes, since it may do more now."""
    request.session.cycle_key()
    request.session[DEVICE_ID_SESSION_KEY] = device.persistent_id


@transaction.atomic
def new_recovery_codes(person: User) -> list[str]:
    """Replaces the person's codes; only their digests are kept."""
    device, _ = StaticDevice.objects.get_or_create(
        user=person, defaults={"name": "Recovery codes"}
    )
    # 80 bits: too many to be tried against a stolen digest, with or without a key.
    codes = [
        base64.b32encode(os.urandom(10)).decode().lower() for _ in range(RECOVERY_CODES)
    ]
    device.token_set.all().delete()
    StaticToken.objects.bulk_create(
        StaticToken(device=device, token=_digest(device, code)) for code in codes
    )
    return ["-".join(re.findall("....", code)) for code in codes]


def recovery_codes_left(person: User) -> int:
    return int(StaticToken.objects.filter(device__user=person).count())


@transaction.atomic
def remove(person: User) -> bool:
    """Removes the second factor; False if there was none."""
    removed, _ = TOTPDevice.objects.filter(user=person).delete()
    StaticDevice.objects.filter(user=person).delete()
    return bool(removed)


def _plain(typed: str) -> str:
    return re.sub(r"[\s-]", "", typed).lower()


def _digest(device: StaticDevice, code: str) -> str:
    """As many characters as the column has: 96 bits."""
    digest = hashlib.sha256(f"{device.pk}:{code}".encode()).digest()
    return base64.urlsafe_b64encode(digest)[:16].decode()


def _wait(why: dict[str, Any]) -> str:
    seconds = max(1, round((why["locked_until"] - timezone.now()).total_seconds()))
    wait = f"{seconds} seconds" if seconds < 120 else f"{round(seconds / 60)} minutes"
    return (
        f"There were {why['failure_count']} wrong codes in a row. Wait {wait}, then"
        " try again. The wait doubles with every wrong code."
    )
