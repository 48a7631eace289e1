from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from macros.http import endpoint_of
from macros.tags import MASK, OutputContext, RenderError
from tests.tags.subjects import a_context, compiled, problems, rendered, with_value


def url_with(source: str, value: object) -> str:
    return with_value(source, value, OutputContext.URL)


@given(st.text(), st.text())
def test_a_value_never_leaves_its_place(first, second):
    source = "https://h.example/a-((External: v))/b?q=((External: v))&r=1#f((Title))"
    result = rendered(
        source, OutputContext.URL, external_data={"v": first}, title=second
    )
    parts = urlsplit(result)
    assert parts.netloc == "h.example"
    assert unquote(parts.path.split("/")[1]) == f"a-{first}"
    assert parts.path.split("/")[2:] == ["b"]
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    assert query == {"q": first, "r": "1"}
    assert unquote(parts.fragment) == f"f{second}"


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_any_value_gives_an_ascii_url(value):
    assert url_with("https://h/?q=((External: v))", value).isascii()


@pytest.mark.parametrize("value", [".", "..", "%2e", "../x", "a/../b", "?x#y"])
def test_dots_never_lead_to_another_path(value):
    source = "https://h/a/((External: v))/b"
    if value in (".", ".."):
        with pytest.raises(RenderError) as caught:
            url_with(source, value)
        assert str(caught.value) == "The URL may hold no . or .. as a part of its path."
    else:
        path = urlsplit(url_with(source, value)).path
        assert [unquote(part) for part in path.split("/")] == ["", "a", value, "b"]


def test_half_a_dot_segment_is_refused_too():
    for source in ("https://h/.((External: v))", "https://h/%2E((External: v))/x"):
        with pytest.raises(RenderError):
            url_with(source, ".")


def test_a_whole_url_is_kept_as_it_is():
    source = "((External: v))?t=((Title))"
    assert url_with(source, " https://h:8443/a?b=c%20d\n") == (
        "https://h:8443/a?b=c%20d&t=Login%20fails"
    )


def test_only_the_tag_a_url_begins_with_is_a_whole_url():
    source = "((External: v))/((External: v))"
    assert url_with(source, "https://h") == "https://h/https%3A%2F%2Fh"


def test_the_url_filter_encodes_no_value_twice():
    assert (
        rendered("https://h/((Title|url))", OutputContext.URL)
        == "https://h/Login%20fails"
    )
    assert rendered("https://h/((Title|url|url))", OutputContext.URL) == (
        "https://h/Login%2520fails"
    )


def test_tags_may_stand_in_host_and_port():
    source = "https://((External: v)).example.com:((Number))/x"
    assert url_with(source, "acme") == "https://acme.example.com:12/x"


def test_parentheses_can_be_written():
    assert rendered(r"https://h/\((x))", OutputContext.URL) == "https://h/((x))"


@pytest.mark.parametrize(
    ("source", "value", "message"),
    [
        ("((External: v))", None, "The URL must begin with http:// or https://."),
        ("((External: v))", "ftp://h/", "The URL must begin with http:// or https://."),
        ("((External: v))", "javascript:x", "The URL must begin with http:// or https://."),
        ("((External: v))/x", "https://", "The URL has no host."),
        ("((External: v))", "https://u:p@h/",
         "The URL may hold no user name or password before the host."),
        ("((External: v))@evil/", "https://h",
         "The URL may hold no user name or password before the host."),
        ("((External: v))", "https://h:99999/", "The URL has no valid host and port."),
        ("((External: v))", "https://[::1/", "The URL has no valid host and port."),
        ("((External: v))/../x", "https://h/a",
         "The URL may hold no . or .. as a part of its path."),
        ("https://((External: v))/", "", "The URL has no host."),
        ("https://((External: v)).h/", "evil/",
         "The URL's host holds a character that no host can hold."),
        ("https://h:((External: v))/", "x", "The URL has no valid host and port."),
    ],
)  # fmt: skip
def test_a_result_that_is_no_url_fails_and_is_not_quoted(source, value, message):
    if source.endswith("/../x"):
        assert url_with("((External: v))/x", value) == "https://h/a/x"
    with pytest.raises(RenderError) as caught:
        url_with(source, value)
    assert (caught.value.tag, str(caught.value)) == (None, message)


@pytest.mark.parametrize("value", ["https://h/a b", "https://h/\n", "https://h\\@e"])
def test_a_whole_url_with_unfit_characters_names_its_tag(value):
    with pytest.raises(RenderError) as caught:
        url_with("((External: v))", value + "x")
    assert caught.value.tag == "External: v"
    assert str(caught.value) == (
        "The tag ((External: v)) holds a space, line break or backslash, which a URL"
        " cannot hold."
    )


SCHEME = "1: The URL must begin with http:// or https://."
UNFIT = "a URL may hold no spaces, line breaks or backslashes."


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", SCHEME),
        ("hooks.example.com/((Title))", SCHEME),
        ("ftp://h/((Title))", SCHEME),
        ("https:/((Title))", SCHEME),
        ("//h/x", SCHEME),
        ("https:///((Title))", "1: The URL has no host."),
        ("https://?q=((Title))", "1: The URL has no host."),
        (
            "https://((Secret: token))@h/",
            "1: The URL may hold no user name or password before the host.",
        ),
        ("https://h:x/", "1: The URL has no valid host and port."),
        ("https://h:0/", "1: The URL has no host."),
        (
            "https://h%2e((Title))/",
            "1: The URL's host holds a character that no host can hold.",
        ),
        (
            "https://h/a/../((Title))",
            "1: The URL may hold no . or .. as a part of its path.",
        ),
        ("https://h/((Title))/a b", f"22: {UNFIT}"),
        ("https://h/\tx", f"11: {UNFIT}"),
        ("https://h/\\((x))\\y", f"17: {UNFIT}"),
        ("https://h\\@((Title))", f"10: {UNFIT}"),
    ],
)
def test_a_text_that_is_no_url_is_refused(source, expected):
    assert problems(source, OutputContext.URL) == [f"Line 1, column {expected}"]


def test_a_line_break_in_a_url_is_refused_at_its_place():
    assert problems("https://h/x\n/((Titel))", OutputContext.URL) == [
        f"Line 1, column 12: {UNFIT}",
        "Line 2, column 2: unknown tag ((Titel)). Did you mean ((Title))?",
    ]


@pytest.mark.parametrize(
    "source", ["HTTPS://H/", "http://[::1]:8000/x", "https://ü.de"]
)
def test_unusual_urls_are_fine(source):
    assert rendered(source, OutputContext.URL) == source


LONE = "a % must have two hexadecimal digits after it; %25 is a % itself."


@pytest.mark.parametrize(
    ("source", "column"),
    [
        ("https://h/a?off=100%&t=((Title))", 20),
        ("https://h/q?q=LIKE+'%((Title))%'", 21),
        ("https://h/((Title))%", 20),
        ("https://h/%4((Number))", 11),
        ("https://h/%zz", 11),
        ("((External: v))%g0", 16),
    ],
)
def test_a_percent_that_encodes_nothing_is_refused(source, column):
    """A client would take the whole URL for not encoded, and encode it once more."""
    first, *others = problems(source, OutputContext.URL)
    assert first == f"Line 1, column {column}: {LONE}"
    assert all(LONE in other for other in others)


@given(st.text(max_size=30), st.sampled_from(["a=1%25", "x=%41&", "%C3%BC"]))
def test_what_is_shown_is_what_goes_out(title, query):
    source = f"https://h.example/p%2Fq/((Title))?{query}&t=((Title))"
    url = rendered(source, OutputContext.URL, title=f"x{title}")
    path = url.removeprefix("https://h.example")
    assert endpoint_of(url).path == path
    assert parse_qs(urlsplit(url).query)["t"] == [
        f"x{title}".encode("utf-8", "replace").decode()
    ]


@pytest.mark.parametrize("url", ["https://h/a%", "https://h/?a=%zz&b=%41"])
def test_a_whole_url_with_a_lone_percent_is_refused(url):
    with pytest.raises(RenderError, match="holds a % without two hexadecimal digits"):
        with_value("((External: v))", url, OutputContext.URL)


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://h/w", "https://h/w?wait=true&t=It"),
        ("https://h/w?thread=7", "https://h/w?thread=7&wait=true&t=It"),
        ("https://h/w?", "https://h/w?wait=true&t=It"),
        ("https://h/w?a=1&", "https://h/w?a=1&wait=true&t=It"),
        ("https://h/w?a=1#top", "https://h/w?a=1&wait=true&t=It"),
    ],
)
def test_a_query_is_joined_to_that_of_a_whole_url(url, sent):
    tail = "?wait=true&t=((Title))"
    for source in ("((External: v))", "((Secret: token))"):
        template = compiled(f"{source}{tail}", OutputContext.URL)
        context = a_context(
            secrets={"token": url}, external_data={"v": url}, title="It"
        )
        assert template.render(context) == sent
    assert template.render_masked(context) == f"{MASK}?wait=true&t=It"
