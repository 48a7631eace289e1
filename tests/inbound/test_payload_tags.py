"""((Payload: $.issue.key)): what a call says, in what the listener starts."""

from __future__ import annotations

import json

import pytest

from logs.models import Attempt, Resend, Run, RunPayload
from macros import deliveries
from macros.listeners.payloads import Payload
from macros.runs.resend import resend
from macros.tags import (
    OutputContext,
    RenderContext,
    RenderError,
    TemplateError,
    compile_template,
)
from tests import factories
from tests.tags.subjects import SCOPE, TESTERS, a_context

from .calling import call

PAYLOAD = Payload(
    {
        "key": "NW-41",
        "n": 3,
        "yes": True,
        "nil": None,
        "list": ["a", 1],
        "q": 'a"b((x))',
    },
    {"x-event": "closed"},
    "id=7",
)


def render(text: str, output: str = "text", payload: Payload | None = PAYLOAD) -> str:
    context: RenderContext = a_context()
    context.payload = payload
    return compile_template(text, OutputContext(output), SCOPE).render(context)


@pytest.mark.parametrize(
    ("text", "output", "expected"),
    [
        ("((Payload: $.key))", "text", "NW-41"),
        ("((payload:$.key|lower))", "text", "nw-41"),
        ("((Payload: header: X-Event)) ((Payload: query: id))", "text", "closed 7"),
        ('{"a": ((Payload: $.n))}', "json", '{"a": 3}'),
        ('{"a": ((Payload: $.yes))}', "json", '{"a": true}'),
        ('{"a": ((Payload: $.nil))}', "json", '{"a": null}'),
        ('{"a": ((Payload: $.gone))}', "json", '{"a": null}'),
        ('{"a": ((Payload: $.list))}', "json", '{"a": ["a", 1]}'),
        ('{"a": "((Payload: $.q))"}', "json", '{"a": "a\\"b((x))"}'),
        ("((Payload: $.list[*]))", "text", "a, 1"),
        ("((Payload: $['list'][?(@ == 'a')]))", "text", "a"),
        (
            "https://example.com/((Payload: $.q))",
            "url",
            "https://example.com/a%22b%28%28x%29%29",
        ),
        ("((Payload: $.gone|default:none))", "text", "none"),
    ],
)
def test_a_value_of_the_payload_is_escaped_as_any_other(text, output, expected):
    assert render(text, output) == expected


def test_without_a_payload_it_is_empty():
    assert render("[((Payload: $.key))]", payload=None) == "[]"
    with pytest.raises(RenderError):
        render("((Payload: $.key|required))", payload=None)


@pytest.mark.parametrize("scope", [SCOPE, TESTERS])
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("((Payload: key))", "Line 1, column 1: Give a JSONPath, a header or a member"),
        ("((Payload: $.[))", "Line 1, column 1: This is not a valid JSONPath"),
        ("((Payload:))", "Line 1, column 1: Give a JSONPath"),
        ("((Payloud: $.key))", "Line 1, column 1: unknown tag ((Payloud: $.key))."),
    ],
)
def test_what_is_no_location_is_refused_on_save(scope, text, why):
    with pytest.raises(TemplateError) as caught:
        compile_template(text, OutputContext.TEXT, scope)
    assert str(caught.value).startswith(why)


def test_a_payload_that_multiplies_work_fails_the_delivery_by_a_sentence():
    deep: list[object] = []
    for _ in range(70):
        deep = [deep, 1]
    with pytest.raises(RenderError, match=r"can't be looked up: .* more work"):
        render("((Payload: $..[?@..[?@ == 1]]))", payload=Payload(deep))
    with pytest.raises(RenderError, match="has more than 500 values"):
        render("((Payload: $[*]))", payload=Payload([1] * 501))


@pytest.fixture
def bugs():
    return factories.feedback_type()


def requested(run: Run) -> list[str]:
    rows = Attempt.objects.filter(delivery__run=run).order_by("pk")
    return [row.request_body for row in rows]


@pytest.mark.django_db
def test_a_run_keeps_the_payload_that_its_templates_read(bugs, receiver):
    bug = factories.ticket(bugs)
    body = '{"key": ((Payload: $.key)), "by": "((Payload: header: X-By))"}'
    reads = factories.macro(bugs, f"{receiver.url}/ok", body=body)
    plain = factories.macro(bugs, f"{receiver.url}/ok")
    listener = factories.listener(
        bugs,
        {"kind": "run", "macro": reads},
        {"kind": "run", "macro": plain},
        record_by="id",
        record_at="$.id",
    )
    data = {"id": bug.pk, "key": "NW-41", "other": "ü"}
    event = call(listener, data, headers={"x-by": "ada"})
    first, second = Run.objects.order_by("pk")
    kept = RunPayload.objects.get()
    assert kept.run == first and kept.text.isascii()
    assert json.loads(kept.text) == {
        "data": data,
        "headers": {"x-by": "ada", "content-type": "application/json"},
        "query": "",
    }
    expected = '{"key": "NW-41", "by": "ada"}'
    deliveries.deliver(first.pk)
    assert requested(first) == [expected]
    # The call may be gone by the time that something is sent again.
    event.call.delete()
    for kind in (Resend.ANEW, Resend.SAME):
        resend(first.deliveries.all(), kind, factories.superuser(f"u-{kind}"))
        deliveries.deliver(first.pk)
    assert requested(first) == [expected] * 3


@pytest.mark.django_db
def test_a_payload_that_was_erased_is_not_taken_for_an_empty_one(bugs, receiver):
    bug = factories.ticket(bugs)
    macro = factories.macro(bugs, f"{receiver.url}/ok", body='"((Payload: $.key))"')
    listener = factories.listener(
        bugs, {"kind": "run", "macro": macro}, record_by="id", record_at="$.id"
    )
    call(listener, {"id": bug.pk, "key": "NW-41"})
    run = Run.objects.get()
    RunPayload.objects.update(text="")
    deliveries.deliver(run.pk)
    attempt = Attempt.objects.get()
    assert attempt.error_class == "render"
    assert attempt.message == "What the call said is kept no more."
