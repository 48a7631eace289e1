"""A list without rows says what goes there, and offers to add it."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from centerhook.templatetags.empty_lists import WORDS
from tests import factories

LISTS = sorted(
    (model._meta.label_lower, model._meta.app_label, model._meta.model_name)
    for model in admin.site._registry
)


def test_every_list_has_words_of_its_own() -> None:
    assert sorted(WORDS) == [label for label, _, _ in LISTS]
    assert len(set(WORDS.values())) == len(WORDS)


@pytest.mark.parametrize(("label", "app", "name"), LISTS)
def test_an_empty_list_says_what_goes_there(
    client: Client, db: None, label: str, app: str, name: str
) -> None:
    client.force_login(factories.superuser())
    page = reverse(f"admin:{app}_{name}_changelist")
    html = client.get(page).content.decode()
    if "card empty" in html:
        assert escape(WORDS[label]) in html or label == "feedback.feedback"
    else:
        assert label in ("auth.user", "logs.auditentry"), label
