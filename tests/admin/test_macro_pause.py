"""Retry policy and pause on a macro's page and in the list."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from macros.models import Macro
from tests import factories

LIST = reverse("admin:macros_macro_changelist")


@pytest.fixture
def macro(db: None) -> Macro:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    return factories.macro(bugs, "https://a.example/", name="Post", ladder="30 s")


@pytest.fixture
def paused(macro: Macro) -> Macro:
    Macro.objects.all().pause("<b>a.example</b> responded with 410.", timezone.now())
    return macro


def url(name: str, macro: Macro) -> str:
    return reverse(f"admin:macros_macro_{name}", args=[macro.pk])


def words(response: HttpResponse) -> str:
    text = re.sub(r"<[^>]*>", " ", response.content.decode())
    return unescape(re.sub(r"\s+", " ", text))


def form(macro: Macro, **values: str) -> dict[str, Any]:
    return {
        "feedback_type": str(macro.feedback_type_id),
        "name": macro.name,
        "is_active": "on",
        "retry_ladder": "30 s",
        "steps-TOTAL_FORMS": "0",
        "steps-INITIAL_FORMS": "0",
        **values,
    }


def test_the_whole_policy_is_edited_on_the_macros_page(
    page: Client, macro: Macro
) -> None:
    data = form(macro, retry_busy="on", retry_timeout="on", give_up_after="2 h")
    assert page.post(url("change", macro), data).status_code == 302
    macro.refresh_from_db()
    assert macro.retry_causes == ["timeout", "busy"]
    assert (macro.retry_unknown, macro.give_up_after) == (False, "2 h")
    shown = words(page.get(url("change", macro)))
    for label in ("No connection", "Timeout", "Server error (5xx)", "Retry-After"):
        assert label in shown


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("retry_ladder", "30 s, soon", "'soon' is not a wait"),
        ("retry_ladder", "1 s, " * 5000, "has at most 200 characters"),
        ("give_up_after", "later", "'later' is not a wait"),
        ("give_up_after", "5 s", "'5 s' is shorter than the first wait, 30 s"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_beside_its_field(
    page: Client, macro: Macro, field: str, value: str, message: str
) -> None:
    response = page.post(url("change", macro), form(macro, **{field: value}))
    context: Any = response.context
    [(where, [sentence])] = context["adminform"].form.errors.items()
    assert where == field and message in sentence
    macro.refresh_from_db()
    assert (macro.retry_ladder, macro.give_up_after) == ("30 s", "")


def test_a_paused_macro_says_so_on_its_page_and_in_the_list(
    page: Client, paused: Macro
) -> None:
    for where in (url("change", paused), LIST):
        html = page.get(where).content.decode()
        assert "&lt;b&gt;a.example&lt;/b&gt; responded with 410." in html
        assert f'action="{url("resume", paused)}"' in html
        assert url("pause", paused) not in html


def test_one_button_pauses_and_another_resumes(page: Client, macro: Macro) -> None:
    assert (
        f'action="{url("pause", macro)}"'
        in page.get(url("change", macro)).content.decode()
    )
    assert page.get(url("pause", macro)).status_code == 302
    macro.refresh_from_db()
    assert not macro.paused_reason, "a link alone must not pause"

    after = page.post(url("pause", macro), follow=True)

    macro.refresh_from_db()
    assert macro.paused_reason == "olivia paused it." and macro.paused_at
    assert "Post is paused: its runs wait." in words(after)
    page.get(url("resume", macro))
    macro.refresh_from_db()
    assert macro.paused_reason, "a link alone must not resume"

    after = page.post(url("resume", macro), follow=True)

    macro.refresh_from_db()
    assert (macro.paused_reason, macro.paused_at) == ("", None)
    assert "Post is resumed: what waited goes on." in words(after)


def test_saving_a_paused_macro_leaves_it_paused(page: Client, paused: Macro) -> None:
    page.post(url("change", paused), form(paused, description="New words"))
    paused.refresh_from_db()
    assert paused.description == "New words"
    assert paused.paused_reason and paused.paused_at


def test_perform_action_says_that_the_macro_is_paused(
    page: Client, paused: Macro
) -> None:
    ticket = paused.feedback_type.tickets.get()
    where = reverse("admin:feedback_feedback_changelist")
    data = {"action": f"macro_{paused.pk}", "_selected_action": [ticket.pk]}
    shown = page.post(f"{where}?type={paused.feedback_type_id}", data)
    assert "This macro is paused: <b>a.example</b> responded with 410." in words(shown)
    assert 'value="Perform Action"' not in shown.content.decode()


def test_a_run_that_waits_for_its_macro_says_so(page: Client, macro: Macro) -> None:
    run = factories.run(macro)
    Macro.objects.all().pause("Olga paused it.", timezone.now())
    shown = words(page.get(reverse("admin:logs_run_change", args=[run.pk])))
    assert "The macro is paused: Olga paused it." in shown


def test_only_who_may_change_a_macro_pauses_it(client: Client, macro: Macro) -> None:
    nora = User.objects.create_user("nora", is_staff=True)
    nora.user_permissions.set(Permission.objects.filter(codename="change_macro"))
    client.force_login(nora)
    assert client.post(url("pause", macro)).status_code == 404
    client.logout()
    assert client.post(url("pause", macro)).status_code == 302
    macro.refresh_from_db()
    assert not macro.paused_reason
