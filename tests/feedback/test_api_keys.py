"""API keys: the token is known to its holder only, and opens where it may."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from feedback.models import ApiKey, Community, KeyState, Project
from tests.factories import api_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def community() -> Community:
    return Community.objects.create(name="Gadgets")


def outcome(token: str, address: str = "") -> str:
    """The outcome, by the way that every call goes."""
    key = ApiKey.objects.named_by(token)
    return key.authenticate(token, address, timezone.now()) if key else "invalid_key"


def test_a_token_opens_its_own_key_only(community: Community) -> None:
    ours, token = api_key(community)
    others, other_token = api_key(community)
    now = timezone.now()
    assert ApiKey.objects.named_by(token) == ours
    assert ApiKey.objects.named_by(other_token) == others
    assert ours.authenticate(token, "", now) == others.authenticate(
        other_token, "", now
    )
    assert ours.authenticate(token, "", now) == "accepted"
    assert ours.authenticate(other_token, "", now) == "invalid_key"


def test_only_prefix_and_hash_are_kept(community: Community) -> None:
    key, old = api_key(community, name="BI tool")
    new = key.rotate(timedelta(days=1))
    key.save(update_fields=ApiKey.TOKEN_FIELDS)
    row = ApiKey.objects.values().get()
    assert row["prefix"] == new.rpartition("_")[0] == old.rpartition("_")[0]
    assert str(key) == f"BI tool ({key.prefix}...)"
    kept = " ".join(map(str, row.values()))
    for token in (old, new):
        secret = token.rpartition("_")[2]
        assert len(secret) == 64 and secret not in kept and token not in kept
    assert len(row["token_hash"]) == len(row["previous_token_hash"]) == 64


def test_a_word_stands_in_the_prefix(community: Community) -> None:
    key = ApiKey(community=community, name="Jira")
    assert key.issue_token("jira").startswith("ch_jira_")
    assert ApiKey(community=community).issue_token().count("_") == 2


def test_no_two_tokens_are_alike(community: Community) -> None:
    tokens = [api_key(community)[1] for _ in range(20)]
    assert len(set(tokens)) == len({t.rpartition("_")[0] for t in tokens}) == 20


def test_what_is_not_the_token_opens_nothing(community: Community) -> None:
    key, token = api_key(community)
    wrong = [
        "",
        "_",
        key.prefix,
        f"{key.prefix}_",
        f"{key.prefix}_{'0' * 64}",
        f"{key.prefix}_{key.token_hash}",
        token.upper(),
        f"{token} ",
        f" {token}",
        token[:-1],
        f"{token}\0",
        f"{token}\n",
        token.replace("c", "\u0441", 1),
        token.replace("_", "\uff3f"),
        f"ch_00000000_{token.rpartition('_')[2]}",
        "ch_größe_" + "ü" * 64,
        "\udcff_x",
        "a\0b_x",
        "x" * 1_000_000 + "_x",
        f"{key.prefix}_" + "0" * 1_000_000,
    ]
    assert [outcome(each) for each in wrong] == ["invalid_key"] * len(wrong)


def test_the_comparison_takes_as_long_for_any_wrong_token() -> None:
    assert "compare_digest" in ApiKey.authenticate.__code__.co_names


def test_an_empty_previous_hash_is_no_token(community: Community) -> None:
    key, _ = api_key(community)
    assert key.previous_token_hash == ""
    assert outcome(f"{key.prefix}_") == "invalid_key"


def test_a_key_is_valid_while_it_is_on_and_not_expired(
    community: Community, time_machine: object
) -> None:
    begun = datetime(2026, 5, 1, 12, tzinfo=UTC)
    time_machine.move_to(begun, tick=False)  # type: ignore[attr-defined]
    key, token = api_key(community, expires_at=begun + timedelta(hours=1))
    off, off_token = api_key(community, is_enabled=False)
    assert (outcome(token), outcome(off_token)) == ("accepted", "key_disabled")
    assert (key.state, off.state) == (KeyState.VALID, KeyState.OFF)
    assert list(ApiKey.objects.valid()) == [key] and community.is_unlocked()

    time_machine.move_to(begun + timedelta(hours=1))  # type: ignore[attr-defined]
    assert (outcome(token), key.state) == ("key_expired", KeyState.EXPIRED)
    assert not ApiKey.objects.valid().exists() and not community.is_unlocked()


@pytest.mark.parametrize("hours", [0, 1, 720])
def test_the_previous_token_works_for_the_overlap(
    community: Community, time_machine: object, hours: int
) -> None:
    begun = datetime(2026, 5, 1, 12, tzinfo=UTC)
    time_machine.move_to(begun, tick=False)  # type: ignore[attr-defined]
    key, oldest = api_key(community)
    old = key.rotate(timedelta(days=30))
    new = key.rotate(timedelta(hours=hours))
    key.save(update_fields=ApiKey.TOKEN_FIELDS)
    assert outcome(oldest) == "invalid_key", "there are two tokens at most"
    if hours:
        end = begun + timedelta(hours=hours)
        time_machine.move_to(end - timedelta(seconds=1), tick=False)  # type: ignore[attr-defined]
        assert (outcome(old), outcome(new)) == ("previous_token", "accepted")
        time_machine.move_to(end, tick=False)  # type: ignore[attr-defined]
    assert (outcome(old), outcome(new)) == ("token_replaced", "accepted")


@pytest.mark.parametrize(
    ("allowed", "address", "opens"),
    [
        ("", "203.0.113.7", True),
        ("", "", True),
        ("203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("203.0.113.7", "", False),
        ("203.0.113.7", "nonsense", False),
        ("203.0.113.7", "203.0.113.07", False),
        ("203.0.113.7", "::ffff:203.0.113.7", True),
        ("203.0.113.7", "::203.0.113.7", False),
        ("::ffff:203.0.113.0/120", "203.0.113.9", True),
        ("::ffff:203.0.113.0/120", "203.0.114.9", False),
        ("10.0.0.0/8\n\n 2001:db8::/32 ", "10.255.0.1", True),
        ("10.0.0.0/8\n\n 2001:db8::/32 ", "2001:DB8:ffff::1", True),
        ("10.0.0.0/8\n\n 2001:db8::/32 ", "2001:db9::1", False),
        ("fe80::/10", "fe80::1%eth0", True),
        ("::/0", "203.0.113.7", False),
        ("0.0.0.0/0", "2001:db8::1", False),
    ],
)
def test_only_from_where_it_is_allowed(
    community: Community, allowed: str, address: str, opens: bool
) -> None:
    _, token = api_key(community, allowed_ips=allowed)
    expected = "accepted" if opens else "address_not_allowed"
    assert outcome(token, address) == expected
    wrong = token[:-4] + "zzzz"
    assert outcome(wrong, address) == "invalid_key", "and nobody else learns it"


@pytest.mark.parametrize(
    ("allowed", "sentence"),
    [
        ("10.0.0.1\n\nexample.com", "Line 3: 'example.com' is neither an IP address"),
        ("10.0.0.1/33", "Line 1: '10.0.0.1/33' is neither"),
        ("10.0.0.1, 10.0.0.2", "Line 1: "),
        ("10.0.0.1/8", "'10.0.0.1/8' is inside a network. Did you mean 10.0.0.0/8?"),
        ("2001:db8::1/32", "Did you mean 2001:db8::/32?"),
        ("1.2.3.\uff14", "Line 1: "),
        ("a\0b", "Line 1: "),
    ],
)
def test_a_bad_line_of_addresses_is_named(
    community: Community, allowed: str, sentence: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        api_key(community, allowed_ips=allowed)
    assert sentence in refused.value.message_dict["allowed_ips"][0]


def test_a_project_of_another_community_is_refused(community: Community) -> None:
    stranger = Community.objects.create(name="Others")
    project = Project.objects.create(community=stranger, name="Theirs")
    with pytest.raises(ValidationError, match="of another community"):
        api_key(community, project=project)
    api_key(stranger, project=project)


def test_two_keys_of_a_community_have_two_names(community: Community) -> None:
    api_key(community, name="BI tool")
    api_key(Community.objects.create(name="Others"), name="BI tool")
    with pytest.raises(ValidationError, match="has an API key of this name"):
        api_key(community, name="BI tool")
    again = ApiKey(community=community, name="BI tool")
    again.issue_token()
    with pytest.raises(IntegrityError), transaction.atomic():
        again.save()


def test_who_is_told_has_to_be_an_address(community: Community) -> None:
    key, _ = api_key(community, notify_emails="a@example.com, b@example.com ,")
    assert key.notify_addresses == ["a@example.com", "b@example.com"]
    with pytest.raises(ValidationError, match="is not an e-mail address"):
        api_key(community, notify_emails="a@example.com, nobody")
