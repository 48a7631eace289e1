from __future__ import annotations

import pytest

from macros.http import AddressPolicy, Blocked, Client, TransportError
from tests.http.conftest import a_client, get
from tests.http.hostile import OK, always

EVERYTHING = ("0.0.0.0/0", "::/0")
METADATA = [
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fd00:ec2::23",
    "fd00:ec2::254",
    "fd20:ce::254",
    "::ffff:169.254.169.254",
    "::a9fe:a9fe",
    "::a9fe:aa17",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::",
]


def blocked(client: Client, url: str) -> TransportError:
    with pytest.raises(TransportError) as caught:
        get(client, url)
    assert not caught.value.outcome_unknown
    return caught.value


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "0x7f.1",
        "0177.0.0.1",
        "2130706433",
        "0",
        "localhost",
        "LOCALHOST.",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:0:7f00:1]",
        "[::7f00:1]",
        "[fec0::1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "[fe80::1%25lo]",
        "[fd00:ec2::254]",
        "100.64.0.1",
        "169.254.169.254",
    ],
)
def test_no_spelling_of_an_inside_address_gets_through(serve, host):
    server = serve(always(OK))
    error = blocked(a_client(AddressPolicy()), server.url(host=host))
    assert error.kind == "blocked"
    assert server.connections == 0


@pytest.mark.parametrize(
    "host", ["１２７.0.0.1", "①②⑦.⓪.⓪.①", "١٢٧.0.0.1", "127。0。0。1"]
)
def test_unicode_digits_and_dots_never_reach_a_socket(serve, host):
    server = serve(always(OK))
    error = blocked(a_client(AddressPolicy()), server.url(host=host))
    assert error.kind in ("blocked", "render")
    assert server.connections == 0


@pytest.mark.parametrize(
    ("address", "rule"),
    [
        ("0.1.2.3", "reserved address"),
        ("10.0.0.1", "private network"),
        ("100.127.255.255", "carrier-grade NAT"),
        ("127.8.8.8", "loopback"),
        ("169.254.1.1", "link-local"),
        ("172.31.255.255", "private network"),
        ("192.0.0.9", "reserved address"),
        ("192.0.2.1", "documentation network"),
        ("192.88.99.1", "IPv6 relay"),
        ("192.168.0.1", "private network"),
        ("198.19.255.255", "benchmark network"),
        ("198.51.100.1", "documentation network"),
        ("203.0.113.1", "documentation network"),
        ("224.0.0.1", "multicast"),
        ("255.255.255.255", "reserved address"),
        ("::1", "loopback"),
        ("fc00::1", "private network"),
        ("fe80::1", "link-local"),
        ("ff02::1", "multicast"),
        ("100::1", "reserved address"),
        ("4000::1", "reserved address"),
        ("2001::1", "reserved address"),
        ("2001:2::1", "reserved address"),
        ("2001:10::1", "reserved address"),
        ("2001:20::1", "reserved address"),
        ("2001:db8::1", "documentation network"),
        ("3fff::1", "documentation network"),
        *[(address, "cloud metadata") for address in METADATA],
    ],
)
def test_the_refusal_names_the_rule_and_not_the_address(address, rule):
    with pytest.raises(Blocked) as caught:
        AddressPolicy().check("hooks.example", [address])
    assert str(caught.value) == f"The address is not allowed by policy ({rule})."


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "172.32.0.1", "100.128.0.1", "223.255.255.255", "2606:4700::1111"],
)
def test_a_public_address_is_allowed(address):
    AddressPolicy().check("hooks.example", [address])


@pytest.mark.parametrize("order", [1, -1])
def test_one_private_address_spoils_a_public_name(serve, dns, order):
    server = serve(always(OK))
    dns(["127.0.0.1", "1.1.1.1"][::order])
    error = blocked(a_client(AddressPolicy()), server.url(host="mixed.example"))
    assert str(error) == "The address is not allowed by policy (loopback)."
    assert server.connections == 0


@pytest.mark.parametrize(
    ("policy", "other"),
    [
        (AddressPolicy(["127.0.0.0/8"]), "10.0.0.1"),
        (AddressPolicy(["127.0.0.0/8"]), "169.254.169.254"),
        (AddressPolicy([], ["mixed.example"]), "169.254.169.254"),
    ],
)
def test_an_address_that_is_listed_opens_no_other(policy, other):
    with pytest.raises(Blocked):
        policy.check("mixed.example", ["127.0.0.1", other])


def test_a_name_that_changes_is_asked_once_and_reached_where_it_was_checked(serve, dns):
    server = serve(always(OK))
    resolver = dns(["127.0.0.1"], ["127.0.0.66"])
    client = a_client(AddressPolicy(["127.0.0.1/32"]))
    url = server.url(host="rebind.example")
    for _ in range(2):
        assert get(client, url).status_code == 200
    assert resolver.asked == ["rebind.example"]
    client.close()
    assert blocked(client, url).kind == "blocked"
    assert resolver.asked == ["rebind.example"] * 2


def test_an_allowed_network_opens_loopback(serve, post):
    assert post(serve(always(OK)).url()).body == b"ok"


@pytest.mark.parametrize("entry", ["Inside.Example", "inside.example:{port}"])
def test_an_allowed_host_opens_what_it_resolves_to(serve, dns, entry):
    server = serve(always(OK))
    policy = AddressPolicy(allowed_hosts=[entry.format(port=server.port)])
    dns(["127.0.0.1"])
    client = a_client(policy)
    inside = server.url(host="INSIDE.example.")
    assert get(client, inside).status_code == 200
    for other in ("outside.example", "x.inside.example", "inside.example.com"):
        assert blocked(client, server.url(host=other)).kind == "blocked"


def test_a_port_on_the_list_opens_that_port_only(serve, dns):
    server = serve(always(OK))
    policy = AddressPolicy(allowed_hosts=["inside.example:1"])
    dns(["127.0.0.1"])
    assert (
        blocked(a_client(policy), server.url(host="inside.example")).kind == "blocked"
    )


@pytest.mark.parametrize("address", METADATA)
def test_metadata_stays_refused_whatever_the_list_says(address):
    policy = AddressPolicy(EVERYTHING, ["inside.example", address])
    for host in ("inside.example", address):
        with pytest.raises(Blocked, match="cloud metadata"):
            policy.check(host, [address])


@pytest.mark.parametrize(
    "host", ["metadata.google.internal", "METADATA.google.internal.", "instance-data"]
)
def test_metadata_names_are_refused_before_dns(dns, host):
    resolver = dns(["1.1.1.1"])
    client = a_client(AddressPolicy(EVERYTHING, [host]))
    assert "cloud metadata" in str(blocked(client, f"http://{host}/"))
    assert resolver.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "//example.com/",
        "example.com",
        "",
        "http://user@example.com/",
        "http://user:pass@example.com/",
        "http://1.1.1.1:80@127.0.0.1/",
    ],
)
def test_only_plain_http_and_https_urls_are_allowed(url):
    assert blocked(a_client(AddressPolicy()), url).kind == "blocked"
