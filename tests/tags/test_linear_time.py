"""Rendering takes time in proportion to the value.

Steps of the interpreter are counted, since a clock on a busy machine proves nothing.
What single steps cost is in `make bench`: the same text at ten times the length.
"""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from macros.tags import OutputContext, RenderError
from macros.tags.filters import FILTERS
from tests.counting import steps_of
from tests.tags.subjects import a_context, compiled

SOURCES = {
    OutputContext.TEXT: "(({}))",
    OutputContext.JSON: '{{"email": {{"a string": "(({}))", "a value": (({}))}}}}',
    OutputContext.URL: "https://example.com/(({}))?q=(({}))",
    OutputContext.HEADER: "(({}))",
    OutputContext.FORM: "a=(({}))",
    OutputContext.XML: "<a>(({}))</a>",
}
PIECES = st.text(min_size=1, max_size=8) | st.sampled_from(
    [
        "((Title))",
        "\\((",
        '"',
        "&amp;",
        "../",
        "*a*",
        "\n",
        "\r\n\r\n",
        "<b>",
        "2026-01-01",
    ]
)


@given(
    piece=PIECES,
    output=st.sampled_from(OutputContext),
    name=st.sampled_from([None, *FILTERS]),
    as_list=st.booleans(),
)
def test_ten_times_the_text_takes_about_ten_times_the_steps(
    piece: str, output: OutputContext, name: str | None, as_list: bool
) -> None:
    if name == "omit":
        output = OutputContext.JSON
    filters = FILTERS[name].example.strip("()").partition("|")[1:] if name else ()
    written = "".join(["External: v", *filters])
    template = compiled(SOURCES[output].format(written, written), output)

    def steps(times: int) -> int:
        value = [piece] * times if as_list else piece * times
        context = a_context(external_data={"v": value})

        def render() -> None:
            with suppress(RenderError):
                template.render(context)

        render()
        return steps_of(render)

    few, many = steps(20), steps(200)
    assert many <= 11 * few
