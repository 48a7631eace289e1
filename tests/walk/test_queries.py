"""How many queries each page makes: few, and no more where there is more to show."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from feedback.access.roles import Role
from tests import factories
from tests.walk.addresses import whole_pages
from tests.walk.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.sweep]

MAX_QUERIES = 30


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        client.get(url)
    return len(seen)


def more(world: World) -> None:
    """Further rows for the lists."""
    factories.tickets(world.mine, 6)
    for number in range(4):
        factories.tester(world.mine, f"more{number}@example.com")
        name = f"More {number}"
        macro = factories.macro(world.mine, "https://example.com/", name=name)
        factories.run(macro)
        factories.trigger(macro, name=name)
        factories.listener(world.mine, name=name)


def test_every_page_makes_few_queries_whatever_there_is(
    record_property: Callable[[str, int], None],
) -> None:
    world = World.build()
    client = Client()
    manager = Role.COMMUNITY_MANAGER.value
    client.force_login(factories.member(world.mine, manager, "walker"))
    pages = whole_pages(client, world, world.mine)
    before = {name: queries(client, url) for name, url in pages.items()}
    more(world)
    after = {name: queries(client, url) for name, url in pages.items()}
    record_property("walk_most_queries", max(after.values()))
    too_many = {name: n for name, n in after.items() if n > MAX_QUERIES}
    assert too_many == {}
    assert {
        name: (before[name], n) for name, n in after.items() if n > before[name]
    } == {}
