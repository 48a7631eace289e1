"""No page breaks on a NUL, which PostgreSQL neither keeps nor looks up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client

from tests import factories
from tests.walk.addresses import candidates
from tests.walk.pages import OTHERS
from tests.walk.world import World

# Where a page takes a parameter past Django's forms, which refuse it.
_READ = re.compile(r'request\.(?:GET|POST)(?:\.get|\.getlist)?[(\[]\s*"(\w+)"')


def names_read() -> set[str]:
    apps = ("centerhook", "feedback", "logs", "macros")
    paths = [
        path for app in apps for path in Path(settings.BASE_DIR, app).rglob("*.py")
    ]
    return {name for path in paths for name in _READ.findall(path.read_text())}


@pytest.mark.sweep
@pytest.mark.django_db
@pytest.mark.pages
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_nul_in_every_parameter_breaks_no_page(method: str) -> None:
    world = World.build()
    client = Client(raise_request_exception=False)
    client.force_login(factories.superuser("nora"))
    given = dict.fromkeys(names_read(), "a\0b")
    assert {"key", "subject", "column"} <= given.keys()
    broken = []
    addresses = candidates(lambda label: world.row(world.mine, label), world.mine)
    for name in OTHERS.keys() & addresses.keys():
        with transaction.atomic():
            response = getattr(client, method)(addresses[name], given)
            transaction.set_rollback(True)
        if response.status_code >= 500:
            broken.append(name)
    assert broken == []
