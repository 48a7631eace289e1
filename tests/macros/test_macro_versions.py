"""A version is written once for what is saved, and restored only where it fits."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from feedback.models import FeedbackType, FormField
from macros.config import ConfigRefused, current_number, note_version, restore
from macros.models import MacroVersion
from macros.steps.kinds.web_request import WebRequest
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


def test_a_number_is_given_once(bugs: FeedbackType) -> None:
    macro = factories.macro(bugs, "https://a.example/")
    assert current_number(macro) == current_number(macro) == 1
    values: dict[str, Any] = {"macro": macro, "number": 1, "document": {}}
    with pytest.raises(IntegrityError), transaction.atomic():
        MacroVersion.objects.create(**values)


def test_a_locked_macro_is_not_restored(bugs: FeedbackType) -> None:
    version = note_version(factories.macro(bugs, "https://a.example/"))
    WebRequest.objects.update(url="https://b.example/")
    bugs.project.community.api_keys.all().delete()
    with pytest.raises(ConfigRefused, match="no valid API key"):
        restore(version, None)


def test_what_does_not_fit_is_told_by_the_number_of_its_step(
    bugs: FeedbackType, client: Client
) -> None:
    macro = factories.macro(bugs, "https://a.example/", body='{"a": "((Field: Page))"}')
    WebRequest.objects.update(body='{"a": "plain \u202e"}')
    note_version(macro)
    FormField.objects.get(feedback_type=bugs, key="page").delete()
    client.force_login(factories.superuser())
    url = reverse("admin:macros_macro_restore", args=[macro.pk, 1])
    html = client.post(url, follow=True).content.decode()
    assert "Step 1, body: Line 1, column 8: unknown tag ((Field: Page))." in html
    assert "U+202E" in html
    assert macro.versions.count() == 2
