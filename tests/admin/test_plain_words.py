"""What pages say, as somebody reads it who has never seen code."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import BooleanField
from django.test import Client, RequestFactory
from django.urls import reverse

from feedback.access.roles import Role
from feedback.models import Feedback
from macros.models import Macro
from tests import factories
from tests.walk.addresses import whole_pages
from tests.walk.world import World

OURS = ("feedback", "logs", "macros")
# The beginnings of telegrams: a sentence says what to do.
TELEGRAMS = re.compile(r"(^|\. )(Empty|Off|On|Default): ")


def all_help_texts() -> list[tuple[str, str]]:
    return [
        (f"{model._meta.label}.{field.name}", str(field.help_text))
        for app in OURS
        for model in apps.get_app_config(app).get_models()
        for field in model._meta.concrete_fields
    ]


# What only a program's author understands, in the text of any page.
_JARGON = re.compile(
    r"\b(true|false)\b|of the responses|of 100 responses|without asking|[Ss]how so"
    r"|worked on|locked then|said no|\b0 minutes|batchs\b|so many\b|: None\b"
)
# Pages that hold JSON, an address of somebody else's or a sample value of one.
_TECHNICAL = re.compile(
    r"tags|macro_(change|add|new)|externalsource|listener|version|schema|config"
    r"|inboundcall|preset|lookup|package|schedule"
)


@pytest.mark.parametrize(
    "text", ["open: true", "Half of the responses", "0 minutes ago", "2 tester batchs"]
)
def test_what_only_an_author_understands_is_noticed(text: str) -> None:
    assert _JARGON.search(text)


@pytest.mark.sweep
def test_pages_are_read_without_knowing_code(page: Client) -> None:
    world = World.build()
    seen = {}
    for name, url in whole_pages(page, world, world.mine).items():
        if not _TECHNICAL.search(name):
            html = page.get(url).content.decode()
            text = unescape(re.sub(r"<script.*?</script>|<[^>]+>", " ", html))
            if words := _JARGON.search(text):
                seen[name] = text[words.start() - 40 : words.end() + 40]
    assert seen == {}


def test_what_is_selected_is_said_in_words(page: Client) -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    query = {"type": bugs.pk, "open": "true", "has_external_jira": "false"}
    request = RequestFactory().get("/", query)
    request.user = factories.superuser("sue")
    words = admin.site._registry[Feedback].selection_in_words(request)  # type: ignore[attr-defined]
    assert words == "Type: Bug Report; Open: yes; Has jira: no"


def test_the_overview_says_nothing_of_the_menu_again(page: Client) -> None:
    factories.one_of_everything(factories.feedback_type())
    html = page.get(reverse("admin:index")).content.decode()
    for name in ("logs_auditentry", "macros_secret", "feedback_member"):
        assert html.count(f'href="{reverse(f"admin:{name}_changelist")}"') == 1


def test_help_is_given_in_sentences() -> None:
    texts = all_help_texts()
    assert len(texts) > 300
    assert [name for name, text in texts if TELEGRAMS.search(text)] == []


@pytest.mark.parametrize("text", ["Empty: never.", "One per line. Off: nothing."])
def test_a_telegram_is_noticed(text: str) -> None:
    assert TELEGRAMS.search(text)


def lists_with_yes_and_no() -> list[Any]:
    """Each model whose list has a column of yes and no."""
    return [
        model
        for model, page in admin.site._registry.items()
        for name in page.list_display
        if isinstance(getattr(model, str(name), None), object)
        and str(name) in {field.name for field in model._meta.fields}
        and isinstance(model._meta.get_field(str(name)), BooleanField)
    ]


def test_lists_say_yes_and_no_in_words(page: Client) -> None:
    bugs = factories.feedback_type()
    factories.one_of_everything(bugs)
    models = {*lists_with_yes_and_no()}
    assert Macro in models
    for model in models:
        opts = model._meta
        url = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
        html = page.get(url).content.decode()
        assert "icon-no.svg" not in html and "icon-yes.svg" not in html, url
        assert re.search(r">(Yes</span>|No)</td>", html), url


def test_a_page_to_be_read_only_says_them_too(page: Client) -> None:
    bugs = factories.feedback_type()
    macro = factories.macro(bugs, "https://example.com/")
    reader = Client()
    reader.force_login(factories.member(bugs, Role.OBSERVER))
    url = reverse("admin:macros_macro_change", args=[macro.pk])
    html = reader.get(url).content.decode()
    assert "icon-yes.svg" not in html and "icon-no.svg" not in html
    assert '<span class="badge info">Yes</span>' in html


def test_the_rights_of_a_person_are_explained(page: Client) -> None:
    person = factories.superuser("new")
    url = reverse("admin:auth_user_change", args=[person.pk])
    html = page.get(url).content.decode()
    assert "Designates" not in html
    assert "Sees and may do everything, in every community." in html
