from contextlib import suppress
from time import perf_counter

import pytest

from macros.tags import OutputContext, TemplateError, compile_template, normalise
from tests.tags.subjects import SCOPE, a_context, compiled, problems, rendered


def test_text_and_tags_render_in_order():
    text = "((Reference)): ((Title)) is ((Status))."
    assert rendered(text) == "BUG-12: Login fails is Open."


def test_a_tag_inside_a_value_stays_text():
    result = rendered("((Title))", title="((Secret: token)) \\((x)) ((Title))")
    assert result == "((Secret: token)) \\((x)) ((Title))"


@pytest.mark.parametrize(
    "name", ["Ticket URL", "ticket url", "TICKET_URL", " ticket-url ", "Ticket  _-Url"]
)
def test_names_differ_neither_by_case_nor_by_separator(name):
    assert rendered(f"(({name}))") == "https://centerhook.example.com/t/3401/"
    assert normalise(name) == "ticket_url"


def test_a_field_is_found_by_label_and_by_key():
    text = "((Field: Severity)) ((field:severity)) ((Field: size_cm)) ((FIELD:Agreed?))"
    assert rendered(text) == "Critical Critical 3 true"


def test_external_data_is_found_by_normalised_name():
    text = "((External: JIRA-Key)) ((External: sales_force_id)) ((External: other))"
    assert rendered(text) == "QA-7 500x "


def test_a_single_parenthesis_is_text():
    text = "(a) b( c) :( f(g(h(x))) (see ((Title))) (((Title)))"
    assert rendered(text) == ("(a) b( c) :( f(g(h(x))) (see Login fails) (Login fails)")


def test_a_name_may_hold_parentheses():
    assert rendered("((Field: Size (cm)))") == "3"
    assert rendered("(((Field: Size (cm))))") == "(3)"


def test_a_backslash_makes_double_parentheses_text():
    assert rendered(r"\((Title)) is ((Title)) :\))") == "((Title)) is Login fails :))"


def test_two_backslashes_before_a_tag_are_one():
    assert rendered(r"\\((Title)) \\\((x)) a\b") == r"\Login fails \((x)) a\b"


def test_an_argument_ends_at_a_bar_or_at_the_tags_end():
    assert rendered("((Field: Nothing|default:a:b (c)|upper))") == "A:B (C)"
    assert rendered("((Field: Nothing|default::())") == ":("


def test_a_quoted_argument_may_hold_anything():
    assert rendered("""((Field: Nothing|default:"a|b:c,))'"))""") == "a|b:c,))'"
    assert rendered("((Field: Nothing|default:'\"x\" \\'y\\' \\\\'))") == "\"x\" 'y' \\"
    assert rendered("((Field: Nothing|default:' '))|") == " |"
    assert rendered("((Title|replace:'Login',\"a,b\"|upper))") == "A,B FAILS"


def test_line_breaks_and_tabs_can_be_written_in_quotes():
    assert rendered(r"((Field: Browsers|join:'\n\t'))") == "Firefox\n\tSafari"


def test_an_apostrophe_inside_an_argument_is_text():
    assert rendered("((Field: Nothing|default:it's empty))") == "it's empty"


def test_filters_run_from_left_to_right():
    assert rendered("((Title|upper|truncate:6|replace:LOGIN,x))") == "x…"


def test_a_template_tells_which_tags_it_uses():
    template = compiled("((title)) ((Field:size_cm)) ((External: JIRA key)) ((TITLE))")
    assert template.tags == ("Title", "Field: Size (cm)", "External: jira_key")
    assert template.source.startswith("((title))")
    assert template.output is OutputContext.TEXT
    assert repr(template) == (
        "<Template for text: Title, Field: Size (cm), External: jira_key>"
    )


def test_the_static_prefix_is_the_text_before_the_first_tag():
    assert (
        compiled("https://h/((Title))/x", OutputContext.URL).static_prefix
        == "https://h/"
    )
    assert compiled("https://h/x", OutputContext.URL).static_prefix == "https://h/x"
    assert compiled("((Title)) x").static_prefix == ""
    assert compiled("").static_prefix == ""


def test_empty_tags_are_those_whose_final_value_is_empty():
    template = compiled(
        "((Title)) ((Status)) ((Field: Nothing)) ((External: x)) ((Status))"
        "((Submitter City|default:none)) ((Description|required)) ((Number))"
    )
    context = a_context(status=None, submitter=None, description="", number=0)
    empty = ["Status", "Field: Nothing", "External: x", "Description"]
    assert template.empty_tags(context) == empty


def test_a_value_that_a_filter_refuses_is_not_empty():
    assert compiled("((Title|date:%Y))").empty_tags(a_context()) == []


def test_a_template_of_a_million_characters_is_the_longest():
    assert len(rendered("x" * 1_000_000)) == 1_000_000
    assert problems("x" * 1_000_001) == [
        "Line 1, column 1: the text is longer than 1,000,000 characters."
    ]


def test_a_value_of_a_megabyte_is_fine():
    assert (
        len(rendered('{"a": "((Title))"}', OutputContext.JSON, title="é" * 2**20))
        > 2**20
    )


def test_every_problem_is_found_in_one_go():
    source = "((Titel)) ((Title|uper))\n((Title|truncate:x)) ((Title"
    assert problems(source) == [
        "Line 1, column 1: unknown tag ((Titel)). Did you mean ((Title))?",
        "Line 1, column 19: unknown filter 'uper'. Did you mean upper?",
        "Line 2, column 18: 'x' is not a whole number above 0.",
        "Line 2, column 22: the tag is not closed; end it with )).",
    ]
    with pytest.raises(TemplateError) as caught:
        compile_template(source, OutputContext.TEXT, SCOPE)
    assert str(caught.value) == "\n".join(problems(source))


def test_no_more_than_fifty_problems_are_listed():
    assert len(problems("((Titel))\n" * 1_000)) == 50


CLOSE = "these )) close no tag; write \\)) for the characters themselves."


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a ((Titel))", "3: unknown tag ((Titel)). Did you mean ((Title))?"),
        (
            "((Severity))",
            "1: unknown tag ((Severity)). Did you mean ((Field: Severity))?",
        ),
        ("((token))", "1: unknown tag ((token)). Did you mean ((Secret: token))?"),
        (
            "((Email))",
            "1: ((Email)) is a tag of testers, and this macro runs on tickets. Did you"
            " mean ((Submitter Email))?",
        ),
        (
            "((Field: Severty))",
            "1: unknown tag ((Field: Severty)). Did you mean ((Field: Severity))?",
        ),
        (
            "((Secret: slackurl))",
            "1: unknown tag ((Secret: slackurl)). Did you mean ((Secret: slack_url))?",
        ),
        (
            "((Externl: x y))",
            "1: unknown tag ((Externl: x y)). Did you mean ((External: x_y))?",
        ),
        ("((qqqq))", "1: unknown tag ((qqqq))."),
        ("((ticket.title.__class__))", "1: unknown tag ((ticket.title.__class__))."),
        ("((External: ))", "1: unknown tag ((External:))."),
        ("(())", "1: the tag has no name; write \\(( for (( as text."),
        ("x ((Title", "3: the tag is not closed; end it with ))."),
        ("((Title)", "1: the tag is not closed; end it with ))."),
        ("((Title|upper", "1: the tag is not closed; end it with ))."),
        ("((Title|default:x", "1: the tag is not closed; end it with ))."),
        (
            "((Title ((Status))",
            "1: the tag is not closed; write )) before the next ((.",
        ),
        ("((Title|default:'x))", "17: the quote ' is not closed."),
        ("Title))", "6: " + CLOSE),
        ("(Title))", "7: " + CLOSE),
        (
            "((((Title)))) ",
            "1: a tag cannot stand inside a tag; write \\(( for (( as text.",
        ),
        ("((Title|))", "9: the name of a filter is missing after |."),
        ("((Title|trunc:3))", "9: unknown filter 'trunc'. Did you mean truncate?"),
        ("((Title|upper:3))", "15: the filter upper takes no argument."),
        (
            "((Title|truncate))",
            "9: the filter truncate needs a colon and the number of characters"
            " to keep.",
        ),
        ("\udc80", "1: this character is broken and cannot be sent."),
    ],
)
def test_a_problem_is_a_sentence_with_its_place(source, expected):
    assert problems(source) == [f"Line 1, column {expected}"]


def test_a_long_unknown_name_is_shortened():
    assert problems(f"(({'x' * 200}))") == [
        f"Line 1, column 1: unknown tag (({'x' * 59}…))."
    ]


@pytest.mark.parametrize("output", OutputContext)
@pytest.mark.parametrize(
    "part", ["\\", "(", ")", "((a", "(( ", "(a)", "((a|b:'", "((Title))", "((a|b:,"]
)
def test_compiling_takes_time_in_proportion_to_the_text(output, part):
    source = part * (300_000 // len(part)) + "(("
    start = perf_counter()
    with suppress(TemplateError):
        compile_template(source, output, SCOPE)
    # Going over the text again for each part would take minutes.
    assert perf_counter() - start < 5


def test_an_unclosed_tag_spoils_only_its_line():
    assert problems("((Title\n((Titel))") == [
        "Line 1, column 1: the tag is not closed; end it with )).",
        "Line 2, column 1: unknown tag ((Titel)). Did you mean ((Title))?",
    ]
