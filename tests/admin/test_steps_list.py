"""The steps of a macro as one list on its page: order, switches, what has no form."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from feedback.models import ApiKey, Feedback, FeedbackType
from logs.models import AuditEntry, Cause
from macros import config
from macros.models import Macro
from macros.runs import RunRefused, start_run
from macros.steps.kind import offered_kinds
from macros.steps.previews import preview
from tests import factories
from tests.admin.test_untouched_forms import sent_back
from tests.factories import AN_EMAIL, ONE_OF_EACH_CHANGE

A_REQUEST = {"kind": "web_request", "url": "https://a.example/x", "body": "[]"}
EVERY_KIND = [A_REQUEST, *ONE_OF_EACH_CHANGE, AN_EMAIL]


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def macro(bugs: FeedbackType) -> Macro:
    return factories.steps(factories.macro(bugs, name="Close"), *EVERY_KIND)


def page_of(macro: Macro) -> str:
    return reverse("admin:macros_macro_change", args=[macro.pk])


def lines(html: str) -> list[str]:
    listed = html.partition('<ol class="entries">')[2].partition("</ol>")[0]
    rows = re.findall(r'<span class="entry-line">(.*?)</span>', listed)
    return [unescape(each) for each in rows]


def kinds_of(macro: Macro) -> list[str]:
    return [step.kind for step in macro.concrete_steps()]


def save(page: Client, macro: Macro, **edited: Any) -> Any:
    return page.post(page_of(macro), sent_back(page, page_of(macro), **edited))


def test_each_step_is_one_line_of_one_list_in_order(page: Client, macro: Macro) -> None:
    shown = lines(page.get(page_of(macro)).content.decode())
    assert shown[0] == "POST to a.example"
    assert shown == [step.line for step in macro.concrete_steps()]  # type: ignore[attr-defined]
    assert len(shown) == len(offered_kinds())


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("https://hooks.slack.com/services/T0/B0", "POST to hooks.slack.com"),
        ("https://me:pass@a.example:8443?key=1", "POST to a.example:8443"),
        ("((Secret: slack_url))", "POST to ((Secret: slack_url))"),
        ("", "Send a web request"),
    ],
)
def test_the_line_of_a_request_names_its_host_and_nothing_more(
    url: str, line: str
) -> None:
    request = offered_kinds()[0](url=url)
    assert request.line == line


@pytest.mark.parametrize("kind", offered_kinds(), ids=lambda kind: kind.kind)
def test_a_step_that_is_not_filled_in_has_a_line_too(kind: Any) -> None:
    assert kind().line


@pytest.mark.parametrize(
    ("typed", "order"),
    [
        ({"setvisibility-0-position": "", "addscore-0-position": 0}, "RFCSVEVX"),
        ({"steps-0-position": 3, "changestatus-0-position": 3}, "tie"),
    ],
)
def test_no_two_steps_have_one_position_whatever_is_typed(
    page: Client, macro: Macro, typed: dict[str, Any], order: str
) -> None:
    assert save(page, macro, **typed).status_code == 302
    positions = [step.position for step in macro.steps.all()]
    assert len(set(positions)) == len(positions) == 7
    if order != "tie":
        assert kinds_of(macro)[-1] == "set_visibility"
        assert set(kinds_of(macro)[:2]) == {"web_request", "add_score"}


def test_steps_of_all_kinds_change_positions(page: Client, macro: Macro) -> None:
    before = kinds_of(macro)
    positions = {
        step.concrete.accessor(): 7 - n for n, step in enumerate(macro.steps.all())
    }
    prefix = {"webrequest": "steps"}
    typed = {
        f"{prefix.get(n, n)}-0-position": position for n, position in positions.items()
    }
    assert save(page, macro, **typed).status_code == 302
    assert kinds_of(macro) == before[::-1]
    assert AuditEntry.objects.filter(action="changed").count() == 1
    # Sent back as it is, nothing changes.
    assert save(page, macro).status_code == 302
    assert AuditEntry.objects.filter(action="changed").count() == 1


def test_a_step_is_switched_off_and_left_out_of_everything(
    page: Client, macro: Macro, bugs: FeedbackType
) -> None:
    ticket = factories.ticket(bugs)
    data = sent_back(page, page_of(macro))
    del data["steps-0-is_active"]
    assert page.post(page_of(macro), data).status_code == 302
    kinds = [step["kind"] for step in macro.snapshot()["steps"]]  # type: ignore[attr-defined]
    assert kinds == kinds_of(macro)[1:]
    assert preview(macro, Feedback.objects.all()).steps[0].startswith("Change the")
    run = start_run(macro, Feedback.objects.filter(pk=ticket.pk), cause=Cause.ACTION)
    assert run.total == len(EVERY_KIND) - 1
    shown = page.get(reverse("admin:macros_macro_changelist")).content.decode()
    assert "Web request (off), then" in shown
    ApiKey.objects.all().delete()
    assert not macro.is_locked()


def test_a_macro_whose_steps_are_all_off_says_so(
    page: Client, macro: Macro, bugs: FeedbackType
) -> None:
    factories.ticket(bugs)
    macro.steps.update(is_active=False)
    with pytest.raises(RunRefused, match="has only steps that are off. Switch one on"):
        start_run(macro, Feedback.objects.all(), cause=Cause.ACTION)


def test_versions_files_and_clones_keep_the_switch(macro: Macro) -> None:
    macro.steps.filter(position=1).update(is_active=False)
    document = config.macro_document(macro)
    assert [step.get("is_active", True) for step in document["steps"]] == [
        each != 1 for each in range(len(EVERY_KIND))
    ]
    made = config.clone_macro(macro, factories.superuser("olivia"))
    assert config.macro_document(made)["steps"] == document["steps"]
    old = config.note_version(macro)
    macro.steps.update(is_active=True)
    [change] = config.differences(config.macro_document(macro), old.document)
    assert (change.title, [line.text for line in change.lines]) == (
        "Step 2, status change: on",
        ["No"],
    )
    config.restore(old, None)
    assert config.macro_document(macro) == document


def test_what_a_locked_macro_has_no_form_for_keeps_its_position_in_the_list(
    page: Client, macro: Macro
) -> None:
    ApiKey.objects.all().delete()
    request = macro.steps.first()
    assert request
    html = page.get(page_of(macro)).content.decode()
    assert lines(html)[0] == "POST to a.example" and "steps-0-url" not in html
    assert f'name="position-{request.pk}"' in html
    assert save(page, macro, **{f"position-{request.pk}": "9"}).status_code == 302
    assert kinds_of(macro)[-1] == "web_request"


@pytest.mark.parametrize("position", ["", "x", "-1", "9" * 30, "²", "1e3", "\0"])
def test_a_position_that_is_none_changes_nothing(
    page: Client, macro: Macro, position: str
) -> None:
    ApiKey.objects.all().delete()
    before, request = kinds_of(macro), macro.steps.first()
    assert request
    assert save(page, macro, **{f"position-{request.pk}": position}).status_code == 302
    assert kinds_of(macro) == before


def test_without_scripts_a_link_adds_an_empty_form(page: Client, macro: Macro) -> None:
    shown = page.get(page_of(macro) + "?add=addcomment").content.decode()
    assert 'name="addcomment-1-text"' in shown
    data = sent_back(page, page_of(macro) + "?add=addcomment")
    assert data["addcomment-1-position"] == ""
    assert page.post(page_of(macro), data).status_code == 302
    assert len(kinds_of(macro)) == len(EVERY_KIND)
    data["addcomment-1-text"] = "Last"
    assert page.post(page_of(macro), data).status_code == 302
    assert kinds_of(macro)[-1] == "add_comment"


def test_forty_steps_are_one_page_with_as_many_queries_as_seven(
    page: Client, macro: Macro, bugs: FeedbackType
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert page.get(page_of(macro)).status_code == 200
        return len(asked)

    few = queries()
    factories.steps(macro, *(EVERY_KIND * 5)[:33])
    assert queries() == few <= 35
    assert save(page, macro, name="Forty").status_code == 302
    assert Macro.objects.get().name == "Forty" and macro.steps.count() == 40
