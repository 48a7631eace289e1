from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from macros.tags import OutputContext
from tests.tags.subjects import compiled, problems, rendered, with_value


@given(st.text(), st.text(min_size=1))
def test_a_form_never_gains_a_pair(value, name):
    source = "a=1\n((Title))=((External: v))\nb=x((External: v))y"
    result = rendered(
        source, OutputContext.FORM, title=name, external_data={"v": value}
    )
    pairs = [("a", "1"), (name, value), ("b", f"x{value}y")]
    assert parse_qsl(result, keep_blank_values=True) == pairs


def test_lines_become_pairs():
    source = "a&b=c d\r\n\r\n  name = ((Title)) + x=y \n((Number))=\n"
    assert rendered(source, OutputContext.FORM) == (
        "a%26b=c+d&name=Login+fails+%2B+x%3Dy&12="
    )


def test_a_name_may_be_made_of_tags_and_text():
    source = "field[((Number))]((Status))x=((Field: Browsers))"
    assert (
        rendered(source, OutputContext.FORM) == "field%5B12%5DOpenx=Firefox%2C+Safari"
    )


def test_parentheses_can_be_written():
    assert rendered(r"a=\((b))", OutputContext.FORM) == "a=%28%28b%29%29"


def test_a_lone_surrogate_is_a_question_mark():
    assert with_value("a=((External: v))", "\ud800", OutputContext.FORM) == "a=%3F"


def test_an_empty_form_is_empty():
    assert rendered("\n \n", OutputContext.FORM) == ""


def test_the_static_prefix_is_the_text_as_written():
    assert compiled("a b=((Title))", OutputContext.FORM).static_prefix == "a b="


def test_a_line_without_a_name_or_an_equals_sign_is_refused_by_its_number():
    source = "a=1\n\\((x))\n\n((Title))\n=((Title))\nb"
    assert problems(source, OutputContext.FORM) == [
        "Line 2, column 1: a form line must be name=value; '=' is missing.",
        "Line 4, column 1: a form line must be name=value; '=' is missing.",
        "Line 5, column 1: a form line must be name=value; no name is here.",
        "Line 6, column 1: a form line must be name=value; '=' is missing.",
    ]
