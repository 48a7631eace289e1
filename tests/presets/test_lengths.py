"""No text is longer than the vendor takes, as the vendor counts, or cut in a letter."""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import Any
from urllib.parse import parse_qsl

import jsonpath
import pytest
import regex

from macros.authoring.presets import Preset, all_presets
from macros.http import Request
from macros.tags import RenderContext
from tests.presets.rendering import file, nasty_subject, requests_of
from tests.presets.test_formats import check, each_preset

HOUSEHOLD = "👩‍👩‍👧‍👦"
# Each is one letter to whoever reads it, or grows when it is escaped.
HOSTILE = {
    "a household": HOUSEHOLD,
    "flags": "🇩🇪",
    "skin": "👋🏿",
    "marks": "e\u0301\u0302\u0323",
    "hangul": "\u1112\u1161\u11ab",
    "astral": "𝒳",
    "grows": "&<>@#*_`",
    "at the end": "x&",
    "quotes": '"\\',
    "links": "https://example.com/" + "a" * 83 + " ",
    "lines": "- a\n",
    "words": "größer ",
}
CUT_ESCAPE = (
    r"&(a|am|amp|l|lt|g|gt|#\d*)…|(?<!\\)(\\\\)*\\…|<https?:[^<>\s]*…(?![^<>\s]*>)"
)
REPEATED = 66_000
UNITS = {
    "characters": len,
    "utf-16": lambda text: len(text.encode("utf-16-le")) // 2,
    "bytes": lambda text: len(text.encode()),
}


def hostile_subject(preset: Preset, piece: str, begins: str = "") -> RenderContext:
    text = begins + piece * (REPEATED // len(piece))
    context = nasty_subject(preset, text)
    if preset.subject_kind == "ticket":
        # Longer than the column, since the vendor's limit is what is tried.
        context.subject.title = text[:1_000].strip()
    return context


def limits_of(preset: Preset) -> list[dict[str, Any]]:
    limits: list[dict[str, Any]] = file(f"formats/{preset.id}.yaml")["limits"]
    return limits


def texts_at(path: str, body: Any) -> list[str]:
    return [each for each in jsonpath.findall(path, body) if isinstance(each, str)]


def is_cut_through(text: str, piece: str) -> bool:
    """Whether the last thing before an ellipsis is a part of a letter."""
    kept = text.partition("…")[0]
    last = kept.rfind(piece)
    rest = kept[last + len(piece) :]
    if last < 0 or "…" not in text or not piece.startswith(rest):
        return False
    ends = accumulate(map(len, regex.findall(r"\X", piece)), initial=0)
    return len(rest) not in ends


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("begins", "piece"),
    [("", piece) for piece in HOSTILE.values()]
    + [("x", HOSTILE[name]) for name in ("a household", "flags", "astral", "grows")],
)
@each_preset
def test_no_text_is_longer_than_the_vendor_takes(
    preset: Preset, begins: str, piece: str
) -> None:
    for request in requests_of(preset, hostile_subject(preset, piece, begins)):
        check(preset, request)
        for limit in limits_of(preset):
            texts = texts_at(limit["at"], json.loads(request.body or b""))
            assert texts, limit
            length = sum(UNITS[limit["unit"]](text) for text in texts)
            assert length <= limit["most"], limit
            assert not any(is_cut_through(text, piece) for text in texts)
            assert not re.search(CUT_ESCAPE, "".join(texts)), limit


def test_what_can_be_kept_is_kept() -> None:
    """A limit that leaves nothing would be kept as well."""
    for preset in all_presets().values():
        [request] = requests_of(preset, hostile_subject(preset, "größer "))
        for limit in limits_of(preset):
            texts = texts_at(limit["at"], json.loads(request.body or b""))
            if any("…" in text for text in texts):
                length = sum(UNITS[limit["unit"]](text) for text in texts)
                assert length * 25 > limit["most"], (preset.id, limit)


@each_preset
def test_every_text_of_a_person_has_a_limit_or_a_reason_for_none(
    preset: Preset,
) -> None:
    form = file(f"formats/{preset.id}.yaml")
    if "others" in form:
        assert form["others"].endswith(".")
        return
    [request] = requests_of(preset, hostile_subject(preset, "größer "))
    body = json.loads(request.body or b"")
    covered = [text for row in form["limits"] for text in texts_at(row["at"], body)]
    written = [text for text in texts_at("$..*", body) if "größer" in text]
    assert written
    assert set(written) <= set(covered)


@pytest.mark.parametrize("field", ["limits"])
def test_every_format_says_its_limits(field: str) -> None:
    for preset in all_presets().values():
        form = file(f"formats/{preset.id}.yaml")
        assert field in form
        assert form[field] or "others" in form
        for row in form[field]:
            assert (
                {"at", "most", "unit"} <= set(row) <= {"at", "most", "unit", "source"}
            )
            assert row["unit"] in UNITS


def sent(request: Request) -> str:
    return f"{request.url} {(request.body or b'').decode()}"


KEYED = ("salesforce-upsert", "servicenow", "zendesk", "pagerduty")


@pytest.mark.parametrize("name", KEYED)
def test_two_tickets_of_one_reference_have_two_keys(name: str) -> None:
    preset = all_presets()[name]
    context = nasty_subject(preset, "x")
    [first] = requests_of(preset, context)
    context.subject.title = "Another title"
    [again] = requests_of(preset, context)
    context.subject.pk += 1
    [other] = requests_of(preset, context)

    def key(request: Request) -> str:
        [each] = set(re.findall(r"\b\d+-[0-9a-z]{8,}\b", sent(request)))
        return str(each)

    assert key(first) == key(again) != key(other)


@each_preset
def test_no_preset_keys_on_what_two_projects_may_share(preset: Preset) -> None:
    for request in preset.requests:
        assert "Reference" not in request["url"]
        keys = (
            r"(external_id|correlation_id|dedup_key|[Kk]ey)\"?: *\"?[^\"\n]*Reference"
        )
        assert not re.search(keys, request["body"])


def test_what_has_no_value_is_left_out() -> None:
    presets = all_presets()

    def body(name: str, **changes: Any) -> Any:
        context = nasty_subject(presets[name], "x")
        for field, value in changes.items():
            setattr(context.subject, field, value)
        [request] = requests_of(presets[name], context)
        check(presets[name], request)
        return json.loads(request.body or b"")

    assert "requester" in body("zendesk")["ticket"]
    assert "requester" not in body("zendesk", submitter=None)["ticket"]
    for name in ("salesforce-case", "salesforce-upsert"):
        assert {"SuppliedName", "SuppliedEmail"} <= set(body(name))
        without = body(name, submitter=None)
        assert set(without) == {"Subject", "Description", "Origin"}
        context = nasty_subject(presets[name], "x")
        context.subject.submitter.email = f"{'a' * 64}@{'b' * 20}.example"
        [request] = requests_of(presets[name], context)
        assert "SuppliedEmail" not in json.loads(request.body or b"")
    details = body("pagerduty", submitter=None, status=None)["payload"]
    assert set(details["custom_details"]) == {"description"}
    address = body("shippo", street2="", company="", phone="", email="", region="")
    assert set(address) == {"name", "street1", "city", "zip", "country", "validate"}


@each_preset
def test_a_ticket_of_nobody_and_without_any_option_is_sent(preset: Preset) -> None:
    context = nasty_subject(preset, "x")
    if preset.subject_kind == "ticket":
        context.subject.submitter = context.subject.status = None
        context.subject.description = ""
        context.subject.form_values = {}
    else:
        for name in ("company", "street2", "region", "phone", "email"):
            setattr(context.subject, name, "")
    for request in requests_of(preset, context):
        check(preset, request)
        if isinstance(request.body, bytes) and request.body[:1] in b"{[":
            empty = {'""', "null"} & set(re.findall(r'""|null', request.body.decode()))
            free = preset.id in ("any-json", "zapier", "n8n", "teams", "jira-update")
            assert free or not empty, request.body
        elif preset.id == "any-form":
            assert isinstance(request.body, bytes)
            assert dict(parse_qsl(request.body.decode(), keep_blank_values=True))["key"]
