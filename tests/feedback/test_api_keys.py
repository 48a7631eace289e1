"""API keys: the token is known to its holder only."""

from __future__ import annotations

import pytest

from feedback.models import ApiKey, Community

pytestmark = pytest.mark.django_db


@pytest.fixture
def community() -> Community:
    return Community.objects.create(name="Gadgets")


def issued(community: Community, **values: object) -> tuple[ApiKey, str]:
    key = ApiKey(community=community, **{"name": "BI tool", **values})
    token = key.issue_token()
    key.save()
    return key, token


def test_a_token_opens_its_own_key_only(community: Community) -> None:
    ours, token = issued(community)
    others, other_token = issued(community, name="Another")
    assert ApiKey.objects.find(token) == ours
    assert ApiKey.objects.find(other_token) == others
    assert ours.opens_with(token) and not ours.opens_with(other_token)


def test_only_prefix_and_hash_are_kept(community: Community) -> None:
    key, token = issued(community)
    prefix, _, secret = token.rpartition("_")
    row = ApiKey.objects.values().get()
    assert len(secret) == 64 and len(row["token_hash"]) == 64
    assert row["prefix"] == prefix and prefix.startswith("ch_")
    assert str(key) == f"BI tool ({prefix}...)"
    kept = " ".join(map(str, row.values()))
    assert secret not in kept and token not in kept


def test_no_two_tokens_are_alike(community: Community) -> None:
    tokens = [issued(community)[1] for _ in range(20)]
    assert len(set(tokens)) == len({t.rpartition("_")[0] for t in tokens}) == 20


def test_a_key_that_is_off_opens_nothing_until_it_is_on(community: Community) -> None:
    key, token = issued(community, is_enabled=False)
    assert ApiKey.objects.find(token) is None
    ApiKey.objects.update(is_enabled=True)
    assert ApiKey.objects.find(token) == key


def test_a_new_token_ends_the_old_one(community: Community) -> None:
    key, old = issued(community)
    new = key.issue_token()
    key.save()
    assert (ApiKey.objects.find(old), ApiKey.objects.find(new)) == (None, key)


def test_what_is_not_the_token_opens_nothing(community: Community) -> None:
    key, token = issued(community)
    wrong = [
        "",
        "_",
        key.prefix,
        f"{key.prefix}_",
        f"{key.prefix}_{'0' * 64}",
        f"{key.prefix}_{key.token_hash}",
        token.upper(),
        f"{token} ",
        token[:-1],
        f"ch_00000000_{token.rpartition('_')[2]}",
        "ch_größe_" + "ü" * 64,
        "\udcff_x",
        "a\0b_x",
    ]
    assert [ApiKey.objects.find(each) for each in wrong] == [None] * len(wrong)


def test_the_comparison_takes_as_long_for_any_wrong_token() -> None:
    assert "compare_digest" in ApiKey.opens_with.__code__.co_names
