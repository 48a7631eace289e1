"""Whatever text is given, the parsers give a result or their own error."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from macros.http.errors import TransportError
from macros.http.urls import endpoint_of
from macros.tags import OutputContext, RenderError, TemplateError, compile_template
from macros.tags.headers import compile_headers
from tests.tags.subjects import SCOPE, a_context

ANY = st.text(st.characters(codec=None, exclude_categories=()), max_size=200)
PIECES = [
    "((",
    "))",
    "\\((",
    "|",
    ":",
    "=",
    ",",
    "*",
    "Title",
    "Now",
    "Field: Severity",
]
PIECES += ["Secret: x", "truncate:", "date:", "map:", "default:", "required", "{", "}"]
PIECES += ['"', "[", "]", "<a>", "</a>", "&", "https://", "%", "\0", "\ud800", "9" * 23]
TEMPLATES = st.lists(st.sampled_from(PIECES) | ANY, max_size=12).map("".join)
HEADERS = st.lists(
    st.tuples(st.sampled_from(["", "Accept", "Host", "X-\0"]) | ANY, TEMPLATES),
    max_size=5,
).map(lambda lines: "\n".join(f"{name}: {value}" for name, value in lines))
URLS = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["http://", "https://", "HTTPS:", "//", "", "file://", "http:///"]),
    st.sampled_from(["", "u:p@", "@", "\0", "["]),
    st.sampled_from(["example.com", "[::1]", "[::1%25x]", "1.2", "xn--a", "bü.de", "."])
    | ANY,
    st.sampled_from(["", ":", ":80", ":99999", ":-1", ":９", ":" + "9" * 5000]),
    st.sampled_from(["", "/", "/%", "?\ud800", "#", "/\r\nHost: x"]) | ANY,
)


@given(TEMPLATES, st.sampled_from(OutputContext))
def test_a_template_is_compiled_and_rendered_or_refused(
    text: str, output: OutputContext
) -> None:
    with suppress(TemplateError, RenderError):
        template = compile_template(text, output, SCOPE)
        template.render(a_context(title=text, description=text))


@given(HEADERS)
def test_header_lines_are_compiled_or_refused(text: str) -> None:
    with suppress(TemplateError):
        for name, _ in compile_headers(text, SCOPE):
            assert name.isascii() and not set(name) & set(" \r\n\0:")


@given(URLS | ANY)
def test_a_url_has_an_endpoint_or_is_refused(url: str) -> None:
    with suppress(TransportError):
        endpoint = endpoint_of(url)
        assert endpoint.scheme in ("http", "https") and endpoint.host
        assert 0 <= endpoint.port < 65_536
        assert not set(f"{endpoint.host}{endpoint.path}") & set(" \r\n\0")
