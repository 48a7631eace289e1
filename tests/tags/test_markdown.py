"""What Markdown's own parsers show of escaped text: the text, and nothing else."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from macros.tags.filters import FILTERS
from macros.tags.markdown import discord, github, gitlab, markdown

Render = Callable[[str], str]
_COMMONMARK = MarkdownIt("commonmark")
_LIKE_GFM = MarkdownIt("gfm-like", {"html": True})


def _cmark(text: str) -> str:
    rendered: str = cmarkgfm.github_flavored_markdown_to_html(
        text, options=Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES
    )
    return rendered


# Each flavour by a parser of its family: GitHub and GitLab use cmark-gfm and comrak,
# Linear markdown-it. Discord's own rules are a subset with the same escapes.
FLAVOURS: list[tuple[str, Callable[[str], str], Render]] = [
    ("markdown", markdown, _COMMONMARK.render),
    ("linear", markdown, _LIKE_GFM.render),
    ("github", github, _cmark),
    ("gitlab", gitlab, _cmark),
    ("discord", discord, _COMMONMARK.render),
]
BLOCKS = [
    "It (really) breaks_here", "Crash report\n====\nat start", "Crash\n---\nb",
    "It failed:\n\n    at app.main(x.java:1)\n\tat app.run(y.java:2)", "1. a\n2) b",
    "+ a\n- b\n* c", "> quoted", ">>> all", "# Title\n## Two", "```\ncode\n```",
    "~~~\ncode\n~~~", "a | b\n--|--\n1 | 2", "***\n___\n---", "<b>x</b> &amp; &copy;",
    "<!-- x -->", "[a](https://x.example)", "![a](b)", "[a]: https://x.example\n[a]",
    "[^1]: note\n[^1]", "- [ ] task", "~~gone~~ ||spoiler||", "`tick` ``two``",
    "$x$ and $$y$$", "a\\\nb", "\\* \\", "-# small", ":::note\nx\n:::", "a  \nb",
    "Term\n: meaning", "/close\n/assign @me\n /label ~x", "@name @all @here",
    "123456789. a", "a\r\nb\rc", "*a*b_c_", "!", "<https://x.example>", "a@b.example",
]  # fmt: skip
URLS = [
    "https://example.com", "http://a.example/_x_/*", "https://a.example/?a=1&b=2#c_d_e",
    "HTTPS://A.example/~me", "https://a.example/x.", "https://bücher.example/ä",
]  # fmt: skip
MARKUP = st.text(
    st.sampled_from("ab1 \t\n\r-=+#>*_`~|[]()<>!&;:./\\@$^{}\"'%")
    | st.characters(codec="utf-8")
)


def shown(rendered: str) -> list[str]:
    """The lines that a reader sees, without what is not seen."""
    text = re.sub(r"<br ?/?>\n?|\n", "\n", rendered)
    text = html.unescape(re.sub(r"<[^>]+>", "", text))
    return lines(text)


def lines(text: str) -> list[str]:
    text = text.replace("\0", "\ufffd").replace("\r\n", "\n").replace("\r", "\n")
    seen = "".join(letter for letter in text if letter != "\N{ZERO WIDTH SPACE}")
    stripped = (" ".join(line.split()) for line in seen.split("\n"))
    return [line for line in stripped if line]


def tags(rendered: str) -> set[str]:
    return {match[1] for match in re.finditer(r"<([a-z0-9]+)", rendered)}


@pytest.mark.parametrize(("name", "escape", "render"), FLAVOURS)
@pytest.mark.parametrize("text", BLOCKS)
def test_no_text_is_markup(
    name: str, escape: Callable[[str], str], render: Render, text: str
) -> None:
    rendered = render(escape(text))
    assert shown(rendered) == lines(text)
    assert tags(rendered) <= {"p", "br", "a"}


@pytest.mark.parametrize(("name", "escape", "render"), FLAVOURS)
def test_any_text_is_shown_as_it_is(
    name: str, escape: Callable[[str], str], render: Render
) -> None:
    @given(MARKUP)
    @example("\t<")
    def check(text: str) -> None:
        rendered = render(escape(text))
        assert tags(rendered) <= {"p", "br", "a"}
        assert shown(rendered) == lines(text)

    check()


@pytest.mark.parametrize(("name", "escape", "render"), FLAVOURS)
@pytest.mark.parametrize("url", URLS)
def test_an_address_stays_a_link(
    name: str, escape: Callable[[str], str], render: Render, url: str
) -> None:
    rendered = render(escape(f"see {url} for (more)"))
    assert rendered.count("<a ") == 1
    assert "\\" not in rendered
    [link] = re.findall(r'href="([^"]*)"', rendered)
    if url.isascii():
        assert html.unescape(link) == url.rstrip(".*").rstrip("_")


@pytest.mark.parametrize("text", ["/close", " /assign @a", "a\n/move x/y", "a\r/todo"])
@pytest.mark.parametrize("escape", [gitlab, github, markdown])
def test_no_line_is_a_quick_action(escape: Callable[[str], str], text: str) -> None:
    # As GitLab finds them: https://docs.gitlab.com/user/project/quick_actions/
    assert not re.search(r"^\s*/", escape(text), re.MULTILINE)


@pytest.mark.parametrize("escape", [github, gitlab])
@pytest.mark.parametrize("text", ["@name", "(@all)", "a @here", "cc @a/b", "@Ärger"])
def test_nobody_is_mentioned(escape: Callable[[str], str], text: str) -> None:
    assert not re.search(r"@\w", escape(text))
    assert unicodedata.name(escape("@a")[1]) == "ZERO WIDTH SPACE"


@pytest.mark.parametrize("text", ["@everyone", "x@here", "<@123>", "<@&1>", "<#1>"])
def test_discord_tells_nobody(text: str) -> None:
    assert not re.search(r"@(everyone|here)|(?<!\\)<[@#]", discord(text))


@pytest.mark.parametrize("escape", [github, gitlab])
def test_an_e_mail_address_stays_a_link(escape: Callable[[str], str]) -> None:
    assert 'href="mailto:me@a.example"' in _cmark(escape("to me@a.example please"))


REFERENCES = ["#12", "a/b#12"]


@pytest.mark.parametrize(
    ("escape", "text"),
    [(github, text) for text in [*REFERENCES, "GH-12"]]
    + [(gitlab, text) for text in [*REFERENCES, "!7", "%3", '~"a b"', "$9", "&5"]],
)
def test_no_issue_is_referred_to(escape: Callable[[str], str], text: str) -> None:
    assert not re.search(r"(#|GH-|!|%|~|\$|&)[\w\"]", escape(text).replace("\\", ""))


def test_each_flavour_is_a_filter() -> None:
    names = {"markdown", "github", "gitlab", "discord", "linear", "slack"}
    assert names <= set(FILTERS)
