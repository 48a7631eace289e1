"""What meets texts of others takes work in proportion to them.

Here are the functions of pages and API; `tests/tags/test_linear_time.py` has those that
render. What regular expressions cost is counted by no step of the interpreter:
`tests/meta/test_regular_expressions.py` looks at these.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedback.names import normalise
from feedback.texts import storable_in
from logs.privacy.traces import Traces
from logs.redaction import mask_typed, mask_url, replace_typed
from macros import config
from macros.authoring import curl
from macros.authoring.new_macros import draft
from macros.config import ConfigRefused
from macros.config.concealing import Concealer
from macros.models import Vault
from macros.models.secrets import parse_hosts, secrets_tagged_in
from macros.tags import (
    OutputContext,
    RenderError,
    Scope,
    TemplateError,
    compile_recipients,
    compile_template,
    format_json,
)
from tests.counting import steps_of

PERSON = Traces(
    ["Ann O'Brien", "王小明"],
    email="ann@example.com",
    phone="+49 (30) 123-4567",
    wide=True,
)
SCOPE = Scope.of(secrets=["a"])


def compared(text: str) -> None:
    """Lines that come again and again are what a comparison takes long for."""
    lines = text.splitlines()
    old, new = ["a", *lines, "a", *lines], [*lines, "b", *lines, "x"]
    config.differences({"body": "\n".join(old)}, {"body": "\n".join(new)})


def concealed(text: str, output: str) -> None:
    concealer, numbers = Concealer(Vault()), count()
    replace_typed(
        text, output, lambda name, _: concealer._tag(name, f"{next(numbers)}")
    )


FUNCTIONS: dict[str, Callable[[str], object]] = {
    "compared": compared,
    "erased": PERSON.erased_from,
    "mask_url": lambda text: mask_url(f"https://a.example/?{text}"),
    "normalise": normalise,
    "storable": lambda text: storable_in([text, {text: text}]),
    "hosts": parse_hosts,
    "secrets in it": secrets_tagged_in,
    "recipients": lambda text: compile_recipients(text, SCOPE),
    "format_json": lambda text: format_json(f'["{text}"]', SCOPE),
    "read": config.read,
    "read as JSON": lambda text: config.read(f"{{{text}"),
}
for shell in (
    "curl {}",
    "curl '{}",
    'curl "{}',
    "curl $'{}'",
    "curl.exe {}",
    "curl ^\n{}",
):
    FUNCTIONS[shell] = lambda text, of=shell: draft(curl.parse(of.format(text)))
for template in (
    *("curl https://a/ -d '{}'", "curl https://a/ --json '{{\"token\": {}}}'"),
    *("curl 'https://a/?token={}'", "curl https://a/ -H 'Authorization: {}'"),
):
    FUNCTIONS[template] = lambda text, of=template: draft(curl.parse(of.format(text)))
for each in OutputContext:
    FUNCTIONS[f"{each}: compiled"] = partial(compile_template, output=each, scope=SCOPE)
    FUNCTIONS[f"{each}: masked"] = partial(mask_typed, output=each)
    FUNCTIONS[f"{each}: concealed"] = partial(concealed, output=each)

PIECES = [
    *('"', '\\"', "'", '"a":"b",', '"token":"a b c d",', '"token" ', '"a":1,'),
    *(
        "?",
        "&token=abcdefgh",
        "&token=$T",
        "?a=b",
        "((",
        "((Title))",
        "((Secret: ",
        "\\((",
        "{",
        "[",
    ),
    *("#\n", "\\\n", "^", "`\n", "$(", "<a>", "</a>", "<token>abcdefgh</token>"),
    *("token: abcdefgh\n", "token=abcdefgh\n", "-H 'token: abcdefgh' ", "-d a=b "),
    *("+", "+4", "4 ", "%2B", "ann ", "ann@", "x\n", "x\ny\n", " ", "\n", "- a\n"),
    *("a: 1\n", "a.example ", "\ud800", "\u0301", "王"),
]


def steps(act: Callable[[str], object], text: str) -> int:
    def run() -> None:
        with suppress(ConfigRefused, RenderError, TemplateError, ValueError):
            act(text)

    run()
    return steps_of(run)


@pytest.mark.sweep
@pytest.mark.parametrize("name", FUNCTIONS)
def test_eight_times_the_text_takes_about_eight_times_the_steps(name: str) -> None:
    for piece in PIECES:
        few, many = (
            steps(FUNCTIONS[name], piece * (length // len(piece)))
            for length in (500, 4_000)
        )
        assert many <= 9 * few + 500, piece


@pytest.mark.sweep
@settings(max_examples=200, derandomize=True)
@given(
    name=st.sampled_from(sorted(FUNCTIONS)),
    piece=st.lists(st.sampled_from(PIECES), min_size=2, max_size=4).map("".join)
    | st.text("\"'\\ab?&=:;,(){}[]<>%+-#$^`|*_.@ \t\n0é", min_size=1, max_size=6),
)
def test_so_it_does_for_any_text_that_repeats(name: str, piece: str) -> None:
    few, many = (
        steps(FUNCTIONS[name], piece * (length // len(piece)))
        for length in (300, 2_400)
    )
    assert many <= 9 * few + 500
