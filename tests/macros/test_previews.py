"""What a macro would send, shown before anything is sent."""

from __future__ import annotations

import pytest

from feedback.models import Feedback, FeedbackType
from logs.models import Attempt, Delivery, Run
from macros.models import Macro
from macros.steps import previews
from macros.steps.dry_run import RequestPreview
from macros.steps.previews import preview
from macros.tags import TemplateError
from tests import factories

pytestmark = pytest.mark.django_db

ALL = Feedback.objects.all()


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


def test_the_first_ticket_is_the_sample_with_all_its_requests(
    bugs: FeedbackType,
) -> None:
    first, _ = (factories.ticket(bugs, title=t) for t in ("First", "Second"))
    macro = factories.macro(
        bugs,
        "https://a.example/?token=abcdef&q=((Title))",
        "https://b.example/",
        headers="Authorization: Bearer abcdef\nX-Title: ((Title))",
    )

    shown = preview(macro, ALL.order_by("-pk"))

    assert (shown.count, shown.looked_at, shown.is_partial) == (2, 2, False)
    assert shown.sample == first.reference
    assert [request.url for request in shown.requests] == [
        "https://a.example/?token=••••••&q=First",
        "https://b.example/",
    ]
    assert shown.requests[0] == RequestPreview(
        title="Web request",
        method="POST",
        url="https://a.example/?token=••••••&q=First",
        headers="Content-Type: application/json\nAuthorization: Bearer ••••••\n"
        "X-Title: First\nWebhook-Id: dlv_preview_0",
        body='{"text": "First"}',
        curl="curl -X POST"
        " --url 'https://a.example/?token='\"$SECRET_1\"'&q=First' \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        "  -H 'Authorization: Bearer '\"$SECRET_2\" \\\n"
        "  -H 'X-Title: First' \\\n  -H 'Webhook-Id: dlv_preview_0' \\\n"
        '  --data-raw \'{"text": "First"}\'',
    )
    assert shown.hosts == {"a.example": 2, "b.example": 2}
    assert (shown.empty, shown.failing) == ({}, {})


def test_hosts_that_tickets_choose_are_counted(bugs: FeedbackType) -> None:
    for host in ("a", "b", "a"):
        factories.ticket(bugs, external_data={"host": host})
    macro = factories.macro(bugs, "https://((External: host)).example:8443/x")
    assert preview(macro, ALL).hosts == {"a.example:8443": 2, "b.example:8443": 1}


def test_tickets_whose_tags_are_empty_are_named(bugs: FeedbackType) -> None:
    factories.ticket(bugs, description="there", form_values={"severity": "Minor"})
    factories.ticket(bugs, description="there")
    factories.ticket(bugs)
    macro = factories.macro(
        bugs,
        "https://a.example/",
        body='{"a": "((Description))", "b": "((Field: Severity))"}',
    )
    shown = preview(macro, ALL)
    assert shown.empty == {
        "Field: Severity": ["BUG-2", "BUG-3"],
        "Description": ["BUG-3"],
    }
    assert (shown.failing, shown.hosts) == ({}, {"a.example": 3})


def test_tickets_whose_request_cannot_be_built_are_named_with_the_reason(
    bugs: FeedbackType,
) -> None:
    factories.ticket(bugs)
    factories.ticket(bugs, description="there")
    factories.ticket(bugs)
    macro = factories.macro(
        bugs, "https://a.example/", body='{"a": "((Description|required))"}'
    )

    shown = preview(macro, ALL)

    [(reason, references)] = shown.failing.items()
    assert "((Description))" in reason and references == ["BUG-1", "BUG-3"]
    assert shown.requests == [RequestPreview(error=reason)]
    assert shown.hosts == {"a.example": 1}


def test_a_big_selection_is_judged_by_its_first_tickets(
    bugs: FeedbackType,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: object,
) -> None:
    monkeypatch.setattr(previews, "LOOKED_AT", 3)
    factories.tickets(bugs, 40)
    macro = factories.macro(bugs, "https://a.example/", body='"((Description))"')
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        shown = preview(macro, ALL)
    assert (shown.count, shown.looked_at, shown.is_partial) == (40, 3, True)
    assert shown.hosts == {"a.example": 3}
    assert shown.empty == {"Description": ["BUG-1", "BUG-2", "BUG-3"]}


def test_looking_writes_nothing(bugs: FeedbackType) -> None:
    factories.ticket(bugs)
    preview(factories.macro(bugs, "https://a.example/"), ALL)
    for model in (Run, Delivery, Attempt):
        assert not model.objects.exists()


def test_an_empty_selection_has_no_sample(bugs: FeedbackType) -> None:
    shown = preview(factories.macro(bugs, "https://a.example/"), ALL)
    assert (shown.count, shown.sample, shown.requests) == (0, "", [])


def test_a_macro_that_no_longer_compiles_says_why(bugs: FeedbackType) -> None:
    factories.ticket(bugs)
    macro = factories.macro(bugs, "https://a.example/", body='"((Field: Severity))"')
    bugs.form_fields.all().delete()
    with pytest.raises(TemplateError, match="unknown tag"):
        preview(Macro.objects.get(pk=macro.pk), ALL)
