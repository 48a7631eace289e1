"""A number is sent as it was typed, from the form to the wire."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from urllib.parse import parse_qs

import pytest
from django.http import QueryDict

from centerhook.receiver import Receiver
from feedback import forms
from feedback.forms import answer_from
from feedback.models import Feedback, FeedbackType, FormField
from feedback.models.numbers import ExactDecoder, ExactEncoder
from feedback.selection.tickets import FeedbackFilterSet
from macros import deliveries
from macros.extraction.paths import compile_path
from tests import factories
from tests.api.callers import issue_key, program
from tests.http.hostile import Server, always, http_response

pytestmark = pytest.mark.django_db

TYPED = {
    "0.1": "0.1",
    "12345.678901": "12345.678901",
    "0.000001": "0.000001",
    "-0.000001": "-0.000001",
    "123456789012.123456": "123456789012.123456",
    "999999999999.999999": "999999999999.999999",
    "999999999999": "999999999999",
    "0.300000": "0.3",
    "1.50": "1.5",
    "7.0": "7",
    "0": "0",
}


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


def a_ticket(bugs: FeedbackType, typed: str) -> Feedback:
    """With the answer that the ticket's form makes of what is typed."""
    question = forms.questions_of(bugs)["field_impact"]
    answers = forms.answers_in({"field_impact": question.clean(typed)})
    return factories.ticket(bugs, form_values=answers)


@pytest.mark.parametrize("typed", TYPED)
def test_every_digit_of_an_answer_arrives(
    bugs: FeedbackType, receiver: Receiver, typed: str
) -> None:
    ticket = a_ticket(bugs, typed)
    url = f"{receiver.url}/ok?n=((Field: Impact))"
    as_json = '{"v": ((Field: Impact)), "t": "((Field: Impact|strip))"}'
    macro = factories.macro(bugs, url, headers="X-N: ((Field: Impact))", body=as_json)
    form = factories.macro(
        bugs, url, body="n=((Field: Impact|default:0.10))", body_kind="form"
    )
    for each in (macro, form):
        deliveries.work(factories.run(each).pk)

    first, second = receiver.requests
    sent = TYPED[typed]
    assert first.body.decode() == f'{{"v": {sent}, "t": "{sent}"}}'
    assert parse_qs(first.target.partition("?")[2]) == {"n": [sent]}
    assert dict(first.headers)["X-N"] == sent
    assert second.body.decode() == f"n={sent}"

    token = issue_key(bugs)
    shown = program(token).get(f"/api/v1/feedback/{ticket.pk}/")
    assert f'"impact":{sent}' in shown.content.decode().replace(": ", ":")


@pytest.mark.parametrize("typed", TYPED)
def test_a_ticket_is_found_by_its_number(bugs: FeedbackType, typed: str) -> None:
    question = FormField.objects.get(feedback_type=bugs, key="impact")
    answer = answer_from(question, typed)
    factories.ticket(bugs, form_values={"impact": answer})
    assert Feedback.objects.get().form_values == {"impact": answer}
    data = QueryDict(mutable=True)
    data["field_impact"] = typed
    types = FeedbackType.objects.filter(pk=bugs.pk)
    filterset = FeedbackFilterSet(data, Feedback.objects.all(), types=types)
    assert filterset.qs.count() == 1


def test_no_text_passes_for_a_number() -> None:
    values = {
        "a": Decimal("0.10"),
        "b": "decimal-x:1",
        "c": [Decimal("1E-7")],
        "d": 1.5,
    }
    text = json.dumps(values, cls=ExactEncoder)
    assert text == '{"a": 0.1, "b": "decimal-x:1", "c": [0.0000001], "d": 1.5}'
    read = json.loads(text, cls=ExactDecoder)
    assert read["a"] == Decimal("0.1") and read["d"] == Decimal("1.5")


Serve = Callable[..., Server]


def returned(
    serve: Serve, bugs: FeedbackType, number: str, *, filtered: bool = False
) -> Feedback:
    """A ticket that got this number of JSON as return values of three types."""
    body = f'{{"n": {number}, "l": [{number}]}}'.encode()
    rows = [
        {"name": name, "expression": path, "type": kind}
        for name, path, kind in (
            ("n", "$.n", "number"),
            ("t", "$.n", "text"),
            ("l", "$.l", "list"),
        )
    ]
    if filtered:
        path = f"$[?@ == {number}]"
        rows.append({"name": "found", "expression": path, "type": "number"})
    ticket = factories.ticket(bugs)
    url = serve(always(http_response(body))).url("/")
    macro = factories.macro(bugs, url, return_values=rows)
    deliveries.work(factories.run(macro).pk)
    ticket.refresh_from_db()
    return ticket


@pytest.mark.parametrize("number", [*TYPED, "12345678901234567890.123456789", "1e-30"])
def test_every_digit_of_a_return_value_is_kept_found_and_sent(
    bugs: FeedbackType, serve: Serve, receiver: Receiver, number: str
) -> None:
    ticket = returned(serve, bugs, number, filtered=True)
    exact = Decimal(number)
    data = ticket.external_data
    assert (data["n"], data["l"], Decimal(data["t"])) == (exact, [exact], exact)
    assert data["found"] == exact, "a filter in a path compares it as before"

    given = QueryDict(f"external_n={number}")
    types = FeedbackType.objects.all()
    rows = FeedbackFilterSet(given, Feedback.objects.all(), types=types).qs
    if exact < 2**53:
        assert list(rows) == [ticket]

    body = '{"v": ((External: n)), "t": "((External: n))"}'
    macro = factories.macro(bugs, f"{receiver.url}/ok", body=body)
    deliveries.work(factories.run(macro).pk)
    sent = json.loads(receiver.requests[0].body, parse_float=Decimal)
    assert sent["v"] == exact == Decimal(sent["t"])

    shown = program(issue_key(bugs)).get(f"/api/v1/feedback/{ticket.pk}/").content
    assert json.loads(shown, parse_float=Decimal)["external_data"]["n"] == exact


@pytest.mark.parametrize(
    "number", ["1e400", "1e-400", "1e-99999999", "1e99999999", "0." + "1" * 400]
)
def test_a_number_that_nobody_can_write_down_is_refused(
    bugs: FeedbackType, serve: Serve, number: str
) -> None:
    data = returned(serve, bugs, number).external_data
    assert "n" not in data and "t" not in data and "l" not in data


@pytest.mark.parametrize("number", ["1e-99999999", "1e99999999"])
def test_to_ask_for_one_costs_nothing(bugs: FeedbackType, number: str) -> None:
    given = QueryDict(f"external_n={number}")
    types = FeedbackType.objects.all()
    rows = FeedbackFilterSet(given, Feedback.objects.all(), types=types).qs
    assert not rows.exists()


def test_a_path_with_a_number_that_is_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match="A number in the JSONPath is too large"):
        compile_path("$[?@ == 1e400]")
