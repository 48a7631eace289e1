"""Where a request comes from."""

from __future__ import annotations

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The caller's IP address, or an empty string where it can't be told.

    Each of PROXY_COUNT trusted proxies appends whom it was called by to
    X-Forwarded-For; what stands further left anybody may have written.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    if settings.PROXY_COUNT:
        forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")
        address = forwarded[-settings.PROXY_COUNT :][0].strip()
    try:
        return str(ip_address(address))
    except ValueError:
        return ""
