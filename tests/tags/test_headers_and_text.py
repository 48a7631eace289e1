import pytest
from hypothesis import given
from hypothesis import strategies as st

from macros.tags import OutputContext, RenderError
from tests.tags.subjects import problems, rendered, with_value

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))


@given(ANY_TEXT)
def test_a_header_never_gains_a_line(value):
    try:
        result = with_value("X ((External: v)) Y", value, OutputContext.HEADER)
    except RenderError as error:
        assert error.tag == "External: v"
    else:
        assert len(result.splitlines()) == 1
        assert result == f"X {value.encode('utf-8', 'replace').decode()} Y"


@pytest.mark.parametrize("bad", ["\r", "\n", "\0", "\x1b", "\x7f", "\x85", "\u2028"])
def test_a_control_character_in_a_header_fails_and_names_the_tag(bad):
    with pytest.raises(RenderError) as caught:
        rendered("a ((Title))", OutputContext.HEADER, title=f"x{bad}Evil: y")
    assert caught.value.tag == "Title"
    assert str(caught.value) == (
        "The tag ((Title)) holds a line break or a control character, which a header"
        " cannot hold."
    )


def test_a_header_keeps_tabs_spaces_and_letters_of_any_script():
    value = " Zoë\t\u00a0👍 "
    assert with_value("((External: v))", value, OutputContext.HEADER) == value


def test_a_control_character_in_a_headers_own_text_is_refused():
    assert problems("Bearer \\((x)) ((Title))\r", OutputContext.HEADER) == [
        "Line 1, column 24: a header may hold no line breaks or control characters."
    ]
    assert problems("a\nb", OutputContext.HEADER) == [
        "Line 1, column 2: a header may hold no line breaks or control characters."
    ]


@given(ANY_TEXT)
def test_text_stays_as_it_is(value):
    assert with_value("<((External: v))>", value) == f"<{value}>"
