from __future__ import annotations

from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from macros.http.errors import Blocked

Address = IPv4Address | IPv6Address

_METADATA_HOSTS = frozenset(
    {
        "instance-data",
        "instance-data.ec2.internal",
        "metadata",
        "metadata.goog",
        "metadata.google.internal",
    }
)
_METADATA_ADDRESSES = frozenset(
    map(
        ip_address,
        (
            "169.254.169.254",  # AWS, Azure, Google, most others
            "169.254.170.2",  # AWS container credentials
            "169.254.170.23",  # AWS pod identity
            "fd00:ec2::23",
            "fd00:ec2::254",
            "fd20:ce::254",  # Google
            "100.100.100.200",  # Alibaba
            "168.63.129.16",  # Azure host agent; looks public
            "192.0.0.192",  # Oracle
        ),
    )
)

# The IANA special-purpose registries, not `ipaddress.is_global`: that calls CGNAT,
# NAT64, 6to4 and IPv4-translated addresses global.
_REFUSED_V4 = [
    (IPv4Network(network), rule)
    for network, rule in (
        ("0.0.0.0/8", "reserved address"),
        ("10.0.0.0/8", "private network"),
        ("100.64.0.0/10", "carrier-grade NAT"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private network"),
        ("192.0.0.0/24", "reserved address"),
        ("192.0.2.0/24", "documentation network"),
        ("192.88.99.0/24", "IPv6 relay"),
        ("192.168.0.0/16", "private network"),
        ("198.18.0.0/15", "benchmark network"),
        ("198.51.100.0/24", "documentation network"),
        ("203.0.113.0/24", "documentation network"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved address"),
    )
]
_PUBLIC_V6 = IPv6Network("2000::/3")
_REFUSED_V6 = [
    (IPv6Network(network), rule)
    for network, rule in (
        ("2001::/23", "reserved address"),  # Teredo, ORCHID, benchmarks
        ("2001:db8::/32", "documentation network"),
        ("2002::/16", "IPv4 inside IPv6"),
        ("3fff::/20", "documentation network"),
        ("::1/128", "loopback"),
        ("::/96", "IPv4 inside IPv6"),
        ("::ffff:0:0/96", "IPv4 inside IPv6"),
        ("::ffff:0:0:0/96", "IPv4 inside IPv6"),
        ("64:ff9b::/96", "IPv4 inside IPv6"),
        ("64:ff9b:1::/48", "IPv4 inside IPv6"),
        ("fc00::/7", "private network"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "private network"),
        ("ff00::/8", "multicast"),
    )
]


class AddressPolicy:
    """Which addresses requests may go to: plainly public ones, and what is listed.

    `allowed_networks` are CIDRs, `allowed_hosts` exact names or `name:port`. Cloud
    metadata stays refused whatever the lists say.
    """

    def __init__(
        self,
        allowed_networks: Iterable[str] = (),
        allowed_hosts: Iterable[str] = (),
    ) -> None:
        networks = [ip_network(network) for network in allowed_networks]
        self._v4 = [item for item in networks if isinstance(item, IPv4Network)]
        self._v6 = [item for item in networks if isinstance(item, IPv6Network)]
        self._hosts = frozenset(host.lower().rstrip(".") for host in allowed_hosts)

    def check_host(self, host: str) -> None:
        """The part that needs no DNS. Raises Blocked."""
        if _plain(host) in _METADATA_HOSTS:
            raise Blocked("cloud metadata")

    def check(
        self, host: str, addresses: Iterable[str], port: int | None = None
    ) -> None:
        """Raises Blocked unless every address the host resolved to is allowed."""
        self.check_host(host)
        name = _plain(host)
        listed = name in self._hosts or f"{name}:{port}" in self._hosts
        for text in addresses:
            address = ip_address(text)
            if _is_metadata(address):
                raise Blocked("cloud metadata")
            if listed or self._is_listed(address):
                continue
            if rule := refusal(address):
                raise Blocked(rule)

    def _is_listed(self, address: Address) -> bool:
        if isinstance(address, IPv4Address):
            return any(address in network for network in self._v4)
        return any(address in network for network in self._v6)


def refusal(address: Address) -> str:
    """The rule that keeps an address from being plainly public, or an empty string."""
    if isinstance(address, IPv4Address):
        return next((rule for net, rule in _REFUSED_V4 if address in net), "")
    rule = next((rule for net, rule in _REFUSED_V6 if address in net), "")
    return rule or ("" if address in _PUBLIC_V6 else "reserved address")


def _plain(host: str) -> str:
    return host.lower().rstrip(".")


def _is_metadata(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return address in _METADATA_ADDRESSES
    # Mapped, compatible, translated and NAT64 forms all end in the IPv4 address.
    embedded = {IPv4Address(int(address) & 0xFFFFFFFF), address.sixtofour}
    unscoped = IPv6Address(int(address))
    return unscoped in _METADATA_ADDRESSES or not embedded.isdisjoint(
        _METADATA_ADDRESSES
    )
