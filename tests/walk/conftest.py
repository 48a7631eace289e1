from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.walk.walker import Walk
from tests.walk.world import PEOPLE, World


@pytest.fixture(params=PEOPLE, ids=str)
def walk(request: pytest.FixtureRequest) -> Iterator[Walk]:
    made = Walk(request.param, World.build())
    before = made.world.all_of(made.world.theirs)
    yield made
    assert made.world.all_of(made.world.theirs) == before
    for method, count in made.visits.items():
        request.node.user_properties.append((f"walk_{method}", count))
