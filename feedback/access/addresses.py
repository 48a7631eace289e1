"""Where a request comes from, and whether it may."""

from __future__ import annotations

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from django.conf import settings
from django.http import HttpRequest

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# `::ffff:0:0/96`, where IPv6 sockets see their IPv4 callers.
_MAPPED_BITS = 96


def client_address(request: HttpRequest) -> str:
    """The caller's IP address, or an empty string where it can't be known.

    Each of PROXY_COUNT trusted proxies appends whom it was called by to
    X-Forwarded-For; what stands further left anybody may have written.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    if settings.PROXY_COUNT:
        forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")
        address = forwarded[-settings.PROXY_COUNT :][0].strip()
    return str(parse_address(address) or "")


def parse_address(text: str) -> Address | None:
    """An IPv4 address that is written as IPv6 (`::ffff:192.0.2.1`) is IPv4."""
    try:
        # Without the interface (`fe80::1%eth0`), which may be any text.
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def parse_networks(text: str) -> list[Network]:
    """Addresses and networks (CIDR), one per line. Raises ValueError: which and why."""
    networks = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            networks += [_parse_network(line.strip())] if line.strip() else []
        except ValueError as error:
            raise ValueError(f"Line {number}: {error}") from None
    return networks


def _parse_network(text: str) -> Network:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        problem = f"'{text}' is neither an IP address nor a network such as 10.1.0.0/16"
        raise ValueError(f"{problem}.") from None
    given = parse_address(text.partition("/")[0])
    start = network.network_address
    if isinstance(network, IPv6Network):
        # Only the address of a network inside `::ffff:0:0/96` has one.
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            start = mapped
            network = ip_network((mapped, network.prefixlen - _MAPPED_BITS))
    if given != start:
        raise ValueError(f"'{text}' is inside a network. Did you mean {network}?")
    return network


def neighbourhood(address: str) -> str:
    """What one caller can easily call from: an IPv4 address, or an IPv6 /64."""
    parsed = parse_address(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed or "")
