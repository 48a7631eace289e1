import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from macros.tags import OutputContext
from tests.tags.subjects import problems, rendered, with_value

SOURCE = (
    "<a b=\"((External: v))\" c='x((External: v))'>\n"
    "<d>((External: v))</d><e><![CDATA[<((External: v))]]>((External: v))</e></a>"
)
# Whatever is not a Char of XML 1.0, section 2.2.
ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_xml_gives_back_the_text_put_in(value):
    root = ElementTree.fromstring(with_value(SOURCE, value, OutputContext.XML))  # noqa: S314
    text = ILLEGAL.sub("", value)
    assert root.attrib == {"b": text, "c": f"x{text}"}
    assert [(item.tag, item.text or "") for item in root] == [
        ("d", text),
        ("e", f"<{text}{text}"),
    ]


def test_markup_in_a_value_is_text():
    source = "<a b='((Title))'>((Title)) \\((x)) ]]&gt;<![CDATA[((Title))]]></a>"
    assert rendered(source, OutputContext.XML, title="<b>'&\"]]>\r\n\0") == (
        "<a b='&lt;b&gt;&apos;&amp;&quot;]]&gt;&#13;&#10;'>"
        "&lt;b&gt;'&amp;\"]]&gt;&#13;\n ((x)) ]]&gt;"
        "<![CDATA[]]>&lt;b&gt;'&amp;\"]]&gt;&#13;\n<![CDATA[]]></a>"
    )


def test_a_declaration_and_private_use_characters_are_fine():
    source = '<?xml version="1.0" encoding="utf-8"?>\n<a \ue001="">\ue000((Title))</a>'
    source = source.replace(' \ue001=""', "")
    assert rendered(source, OutputContext.XML) == source.replace(
        "((Title))", "Login fails"
    )


HERE = "a tag may stand in text or in a quoted attribute value, not here."
BROKEN = "this is not well-formed XML: "


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", "1, column 1: The XML body is empty."),
        ("<a>\n<((Title))/></a>", f"2, column 2: {HERE}"),
        ("<a>\n<b ((Title))='x'/></a>", f"2, column 4: {HERE}"),
        ("<a>\n<b x((Title))='x'/></a>", f"2, column 5: {HERE}"),
        ("<a>\n<b x=((Title))/></a>", f"2, column 6: {HERE}"),
        ("<a/>\n((Title))", f"2, column 1: {HERE}"),
        ("((Title))", f"1, column 1: {HERE}"),
        ("<a>((Title))\n</b>", f"2, column 3: {BROKEN}mismatched tag."),
        ("<a>\n((Title)) & ü</a>", f"2, column 12: {BROKEN}not well-formed"),
        ("<a>ü((Title))&nbsp;</a>", f"1, column 14: {BROKEN}undefined entity."),
        ("<a>((Title))", f"1, column 13: {BROKEN}no element found."),
        ("<a b='1' b='((Title))'/>", f"1, column 10: {BROKEN}duplicate attribute."),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]>\n<a>&b;</a>", "1, column 1: a DOCTYPE"),
        ("\n <!DOCTYPE a>\n<a/>", "2, column 2: a DOCTYPE is not allowed."),
        (
            "<?xml version='1.0' encoding='latin-1'?><a/>",
            "1, column 1: the body is sent as UTF-8, not as latin-1.",
        ),
        (
            "<a>\n<!-- ((Title)) --></a>",
            "2, column 6: a tag cannot stand in a comment or an instruction.",
        ),
        (
            "<a>((Title))<?php ((Title))?></a>",
            "1, column 19: a tag cannot stand in a comment or an instruction.",
        ),
    ],
)
def test_a_body_that_is_not_xml_is_refused_at_its_place(source, expected):
    (problem,) = problems(source, OutputContext.XML)
    assert problem.startswith(f"Line {expected}")


def test_wrong_tags_and_wrong_xml_are_found_together():
    assert problems("<a>((Titel))\n</b>", OutputContext.XML) == [
        "Line 1, column 4: unknown tag ((Titel)). Did you mean ((Title))?",
        f"Line 2, column 3: {BROKEN}mismatched tag.",
    ]
