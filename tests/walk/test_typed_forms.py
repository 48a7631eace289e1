"""What typed.js sends again after a sign-in is shown as it was typed, never saved."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from feedback.console.typed_forms import TypedAgainAdmin
from tests import factories
from tests.admin.test_untouched_forms import sent_back
from tests.walk.addresses import candidates, standard_pages
from tests.walk.pages import MODELS
from tests.walk.world import World

pytestmark = [pytest.mark.django_db]

MARK = b'name="_typed"'
WRITES = ("INSERT", "UPDATE", "DELETE")


def form_pages() -> Iterator[str]:
    for name, _ in standard_pages():
        if name.endswith(("_add", "_change")):
            yield name


def test_each_page_with_a_form_of_a_row_can() -> None:
    pages = [admin.site._registry[apps.get_model(label)] for label in MODELS]
    assert [each for each in pages if not isinstance(each, TypedAgainAdmin)] == []


@pytest.mark.sweep
def test_no_form_saves_what_is_only_shown_again() -> None:
    world = World.build()
    client = Client()
    client.force_login(factories.superuser("walker"))
    addresses = candidates(lambda label: world.row(world.mine, label), world.mine)
    tried = 0
    for name in [*form_pages(), "feedback_feedback_typed_add"]:
        page = client.get(addresses[name])
        if MARK not in page.content:
            continue
        tried += 1
        typed = sent_back(client, addresses[name])
        text = next(iter(_texts(typed)), "")
        typed[text] = "What I had typed"
        with CaptureQueriesContext(connection) as seen:
            shown = client.post(addresses[name], {**typed, "_typed": "1"})
        assert shown.status_code == 200, name
        written = [each["sql"] for each in seen if each["sql"].startswith(WRITES)]
        assert written == [], name
        assert b"data-unsaved" in shown.content, name
        assert not text or b"What I had typed" in shown.content, name
    assert tried > 25


def _texts(typed: dict[str, object]) -> Iterator[str]:
    for name in ("title", "name", "description", "person", "first_name"):
        if name in typed:
            yield name
