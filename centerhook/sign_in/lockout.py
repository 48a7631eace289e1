"""Locking a user name out for one address after repeated failures; axes counts."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from feedback.access.addresses import client_address

# Not an empty address, which a database would not find again.
UNKNOWN = "::"


def address_of(request: HttpRequest) -> str:
    """The address that failures are counted for.

    For IPv6 it is the network, since whoever has one address has the whole /64.
    """
    address = client_address(request)
    if not address:
        return UNKNOWN
    if isinstance(ip_address(address), IPv6Address):
        return str(ip_network((address, 64), strict=False).network_address)
    return address


def has_no_name(request: HttpRequest, credentials: Mapping[str, Any] | None) -> bool:
    """Whether there is no name to lock.

    Single sign-on brings none: its provider counts, and one person's failures would
    lock out everybody at the same address.
    """
    return not (credentials or {}).get("username")


def locked_page(
    request: HttpRequest,
    response: HttpResponse | None = None,
    credentials: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """What axes shows instead of the login; says how long the lock lasts."""
    page = render(
        request,
        "admin/sign_in/locked.html",
        {
            "title": "Sign-in is locked",
            "username": (credentials or {}).get("username", ""),
            "tries": settings.SIGN_IN_TRIES,
            "minutes": round(settings.SIGN_IN_LOCK_MINUTES),
        },
        status=429,
    )
    page["Retry-After"] = str(round(settings.SIGN_IN_LOCK_MINUTES * 60))
    return page
