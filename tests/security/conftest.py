from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests import factories


@pytest.fixture
def olivia(db: None) -> User:
    return factories.superuser("olivia")


@pytest.fixture
def page(olivia: User) -> Client:
    client = Client()
    client.force_login(olivia)
    return client
