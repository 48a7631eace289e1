"""What one template may ask for is bounded before it is done."""

from __future__ import annotations

import tracemalloc

import pytest

from macros.tags import FILTERS, OutputContext, RenderError
from macros.tags.limits import (
    MAX_FILTERED,
    MAX_FILTERS,
    MAX_LINES,
    MAX_RESULT,
    MAX_TAGS,
)
from tests.tags.subjects import a_context, compiled, problems, with_value


@pytest.mark.parametrize("output", OutputContext)
def test_more_tags_than_may_be_are_refused_at_the_first_one(
    output: OutputContext,
) -> None:
    tags = "((Titel|nonsense))" * (MAX_TAGS * 50)
    assert problems(f'"{tags}"', output) == [
        f"Line 1, column {2 + 18 * MAX_TAGS}: this is one tag more than 1,000."
    ]


def test_as_many_tags_as_may_be_render() -> None:
    assert len(compiled("((Number))" * MAX_TAGS).render(a_context())) == 2 * MAX_TAGS


def test_more_filters_than_may_be_are_refused() -> None:
    assert problems(f"((Title{'|upper' * MAX_FILTERS}))") == []
    assert problems(f"((Title{'|upper' * (MAX_FILTERS + 1)})) ((Titel))") == [
        "Line 1, column 1: a tag takes at most 20 filters."
    ]


GROWING = [
    "|replace:a,aaaaaaaaaa" * 8,
    f"|replace:a,'{'a' * 100_000}'",
    f"|join:'{'b' * 10_000}'",
    "|html" * MAX_FILTERS,
    "|markdown" * MAX_FILTERS,
    "|base64" * MAX_FILTERS,
    "|url" * MAX_FILTERS,
    "|json" * MAX_FILTERS,
    "|adf" + "|json" * (MAX_FILTERS - 1),
]


@pytest.mark.sweep
@pytest.mark.parametrize(
    "value", ["a&*" * 1_000, ["a&*"] * 1_000], ids=["text", "list"]
)
@pytest.mark.parametrize("chain", GROWING)
def test_no_chain_of_filters_takes_more_memory_than_its_limit(
    chain: str, value: object
) -> None:
    tracemalloc.start()
    try:
        length = len(with_value(f"((External: v{chain}))", value))
    except RenderError as error:
        assert "1,000,000 characters once its filters" in str(error) or (
            "over 2,000,000 characters in all" in str(error)
        )
        length = 0
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert length <= MAX_FILTERED
    # A value and what a filter makes of it, at four bytes and for a list's items.
    assert peak < 40 * MAX_FILTERED


def test_the_chain_of_filters_that_grew_is_refused() -> None:
    with pytest.raises(RenderError, match="once its filters are done"):
        with_value(f"((External: v{GROWING[0]}))", "a" * 10)


ONE_BY_ONE = "|truncate:900000|markdown|truncate:900000"


def test_the_work_of_all_filters_is_bounded() -> None:
    """In one chain, and in very many that are short at their ends."""
    for source in (
        f"((External: v{ONE_BY_ONE * 6}))",
        "((External: v|upper|truncate:9))" * 50,
    ):
        with pytest.raises(RenderError, match="over 2,000,000 characters in all"):
            with_value(source, "a" * 900_000)
    template = compiled(f"((External: v{ONE_BY_ONE}))")
    context = a_context(external_data={"v": "a" * 600_000})
    lengths = {len(template.render(context)) for _ in range(3)}
    assert lengths == {600_000}


def test_every_filter_has_an_end() -> None:
    for name, item in FILTERS.items():
        written = item.example.strip("()").partition("|")[2]
        text = "2026-01-01" if name == "date" else "<a>&"
        source = f'{{"email": "((External: v|{written}))"}}'
        assert len(with_value(source, text, OutputContext.JSON)) < 1_000


def test_a_result_of_many_long_values_is_refused() -> None:
    source = "((External: v))" * 30
    with pytest.raises(RenderError, match=f"longer than {MAX_RESULT:,} characters"):
        with_value(source, "x" * 1_000_000)


def test_a_document_has_so_many_lines_and_no_more() -> None:
    assert with_value("((External: v|adf|json))", "x\n" * 100).count("hardBreak") == 99
    with pytest.raises(RenderError, match="has more than 20,000 lines"):
        with_value("((External: v|adf))", "x\n" * (MAX_LINES + 1))
