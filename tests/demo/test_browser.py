"""The demo's browser sends what a person's browser would, and says what goes wrong."""

from __future__ import annotations

import pytest
import requests
from pytest_django.live_server_helper import LiveServer

from centerhook.demo.browser import Page
from centerhook.demo.errors import DemoError
from centerhook.demo.perform import signed_in, submit
from centerhook.demo.seed import Demo
from feedback.models import Feedback, FeedbackType
from tests import factories

FORM = b"""
    <form id="ticket">
    <input name="title" value="Old"><input value="no name">
    <input type="hidden" name="_typed" value="1" disabled>
    </form>"""


def test_a_disabled_input_is_not_sent() -> None:
    response = requests.Response()
    response.url, response._content = "http://localhost/", FORM
    form = Page(response).form("ticket")
    assert form.filled() == [("title", "Old")]
    assert form.filled(title="New") == [("title", "New")]


@pytest.fixture
def bugs(transactional_db: None) -> FeedbackType:
    factories.superuser("olivia")
    return factories.feedback_type()


def submitted(bugs: FeedbackType, web_url: str) -> None:
    macro = factories.macro(bugs, "http://127.0.0.1:9/")
    demo = Demo(bugs, macro, "olivia", "secret-word", None)
    assert submit(demo, signed_in(demo, web_url), "http://127.0.0.1:9") is None


def test_a_ticket_is_saved(live_server: LiveServer, bugs: FeedbackType) -> None:
    submitted(bugs, live_server.url)
    assert Feedback.objects.get().form_values["severity"] == "Critical"


def test_a_ticket_that_is_refused_is_an_error(
    live_server: LiveServer, bugs: FeedbackType
) -> None:
    bugs.form_fields.filter(key="app_version").update(required=True)
    with pytest.raises(DemoError, match="not saved. Please correct the error below"):
        submitted(bugs, live_server.url)
