"""Every filter there is, for palette, reference, checks and tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .dates import build_date
from .filtering import (
    Apply,
    Build,
    base64,
    default,
    fits,
    fixed,
    join,
    omit,
    on_each_text,
    on_text,
    percent_encode,
    replace,
    required,
    title_case,
    truncate,
)
from .mapping import build_map
from .markdown import discord, github, gitlab, markdown
from .markup import adf, html, one_line, slack
from .values import RawJson, to_json

__all__ = ["FILTERS", "Apply", "Filter"]


@dataclass(frozen=True, slots=True)
class Filter:
    """`argument` describes what is written after the colon, None for nothing.

    `whole`: it keeps all of the value and can't tell anything of it, so that it may be
    put on a secret.
    """

    name: str
    argument: str | None
    meaning: str
    example: str
    build: Build
    whole: bool = False


FILTERS: Mapping[str, Filter] = {
    item.name: item
    for item in [
        Filter(
            "truncate",
            "the number of characters to keep",
            "Shortens a longer text to this length, … at its end, and cuts through no"
            " letter, emoji or escape; truncate:200,utf-16 and truncate:200,bytes count"
            " those",
            "((Description|truncate:200))",
            truncate,
        ),
        Filter(
            "fits",
            "the same as for truncate",
            "Empty where the text is longer: for what is of no use when it is cut",
            "((Submitter Email|fits:80))",
            fits,
        ),
        Filter(
            "default",
            "what to write instead of no value",
            "Stands in when there is no value",
            "((Status|default:none))",
            default,
        ),
        Filter(
            "date",
            "a format and, after @, a time zone",
            "Writes a date as you like: %Y year, %m month, %d day, %H:%M time",
            "((Created|date:%d.%m.%Y %H:%M@Europe/Berlin))",
            build_date,
        ),
        Filter(
            "upper",
            None,
            "In capitals",
            "((Status|upper))",
            fixed(on_each_text(str.upper)),
        ),
        Filter(
            "lower",
            None,
            "In small letters",
            "((Status|lower))",
            fixed(on_each_text(str.lower)),
        ),
        Filter(
            "title",
            None,
            "Each word with a capital",
            "((Status|title))",
            fixed(on_each_text(title_case)),
        ),
        Filter(
            "strip",
            None,
            "Without spaces and line breaks at both ends",
            "((Title|strip))",
            fixed(on_each_text(str.strip)),
        ),
        Filter(
            "replace",
            "two texts, with a comma between",
            "Puts the second text wherever the first one is",
            "((Title|replace:colour,color))",
            replace,
        ),
        Filter(
            "join",
            "what to write between two items",
            "Makes one text of a list",
            "((Field: Browsers|join:' / '))",
            join,
        ),
        Filter(
            "json",
            None,
            "As JSON: a text in quotes, a list in brackets",
            "((Field: Browsers|json))",
            fixed(lambda value: RawJson(to_json(value))),
            whole=True,
        ),
        Filter(
            "url",
            None,
            "Percent-encoded, for an address inside a text",
            "((Title|url))",
            fixed(on_text(percent_encode)),
            whole=True,
        ),
        Filter(
            "base64",
            None,
            "In Base64, as basic authentication wants name:password",
            "((Secret: jira_login|base64))",
            fixed(on_text(base64)),
            whole=True,
        ),
        Filter(
            "markdown",
            None,
            "Text that Markdown shows as it is, addresses as links",
            "((Title|markdown))",
            fixed(on_each_text(markdown)),
        ),
        *(
            Filter(
                name,
                None,
                f"Text that {vendor} shows as it is, addresses as links{besides}",
                f"((Description|{name}))",
                fixed(on_each_text(escape)),
            )
            for name, vendor, escape, besides in [
                ("github", "GitHub", github, "; mentions nobody"),
                ("gitlab", "GitLab", gitlab, "; mentions nobody, commands nothing"),
                ("discord", "Discord", discord, "; mentions nobody"),
                ("linear", "Linear", markdown, ""),
            ]
        ),
        Filter(
            "slack",
            None,
            "Text that Slack shows as it is, mentions included",
            "((Title|slack))",
            fixed(on_each_text(slack)),
        ),
        Filter(
            "html",
            None,
            "Text that a web page shows as it is, line breaks included",
            "((Description|html))",
            fixed(on_each_text(html)),
        ),
        Filter(
            "adf",
            None,
            "Paragraphs of Jira's document format (ADF), as a JSON list",
            "((Description|adf))",
            fixed(adf),
        ),
        Filter(
            "line",
            None,
            "On one line: line breaks and runs of spaces become one space",
            "((Title|line))",
            fixed(on_each_text(one_line)),
        ),
        Filter(
            "required",
            None,
            "Refuses to send when there is no value",
            "((Submitter Email|required))",
            fixed(required),
        ),
        Filter(
            "omit",
            "the name of a member of JSON that is around the tag",
            "Leaves that member out of the object when there is no value",
            "((Submitter Email|omit:email))",
            omit,
        ),
        Filter(
            "map",
            "pairs old=new with commas between; * stands for any other",
            "Puts another word for each value",
            "((Field: Severity|map:Critical=P1,Major=P2,*=P3))",
            build_map,
        ),
    ]
}
