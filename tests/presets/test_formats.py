"""Every preset, whatever its subject holds, keeps to its vendor's published format."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from slack_sdk.models.blocks import Block

from macros.authoring.presets import Preset, all_presets
from macros.http import Multipart, Request
from tests.presets.rendering import (
    HERE,
    NASTY,
    NASTY_SETTING,
    file,
    nasty_subject,
    requests_of,
    steps,
)
from tests.tags.subjects import a_context

PRESETS = all_presets().values()
ADF = Resource.from_contents(
    file("formats/adf.schema.yaml"),
    default_specification=DRAFT202012,
)
REGISTRY: Registry[Any] = Registry().with_resource("https://formats.example/adf", ADF)
each_preset = pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.id)


def check(preset: Preset, request: Request) -> None:
    form = file(f"formats/{preset.id}.yaml")
    body = request.body or b""
    headers = dict(request.headers)
    assert request.method == form["method"]
    assert re.search(form["url"], request.url), request.url
    for name, pattern in form.get("headers", {}).items():
        assert re.search(pattern, headers[name]), (name, headers[name])
    assert len(body) <= form.get("max_bytes", 1_000_000)
    if "parts" in form:
        assert isinstance(body, Multipart)
        assert [part.name for part in body.parts] == form["parts"]
        return
    assert isinstance(body, bytes)
    if "fields" in form:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True)
        assert [name for name, _ in pairs] == form["fields"]
    elif "root" in form:
        root = ElementTree.fromstring(body)
        assert root.tag == form["root"]
        assert [child.tag for child in root] == form["elements"]
    else:
        Draft202012Validator(form["body"], registry=REGISTRY).validate(json.loads(body))


def test_every_preset_has_its_format_and_every_format_its_preset() -> None:
    formats = {path.stem for path in (HERE / "formats").glob("*.yaml")}
    assert formats - {"adf.schema"} == set(all_presets())


def test_the_formats_themselves_are_schemas_that_refuse_something() -> None:
    for preset in PRESETS:
        schema = file(f"formats/{preset.id}.yaml").get("body")
        if schema:
            Draft202012Validator.check_schema(schema)
            checker = Draft202012Validator(schema, registry=REGISTRY)
            assert not checker.is_valid({}) and not checker.is_valid([])


@pytest.mark.parametrize("value", NASTY.values(), ids=NASTY)
@each_preset
def test_a_nasty_subject_is_sent_as_the_vendor_wants_it(
    preset: Preset, value: str
) -> None:
    for request in requests_of(preset, nasty_subject(preset, value)):
        check(preset, request)


@each_preset
def test_a_setting_is_text_wherever_it_stands(preset: Preset) -> None:
    context = nasty_subject(preset, "value of a tag")
    plain = requests_of(preset, context)
    built = requests_of(preset, context, nasty=True)
    for request, usual in zip(built, plain, strict=True):
        check(preset, request)
        assert len(dict(request.headers)) == len(dict(usual.headers))
        sent = f"{request.url} {request.text}"
        assert "a value of a tag" not in sent.replace('a "b" ', "a ")
    asked = {each.key for each in preset.settings if each.kind == "text"}
    if preset.id == "jira-create":
        assert asked == {"email", "project", "issue_type"}
        fields = json.loads(built[0].text)["fields"]
        assert fields["project"] == {"key": NASTY_SETTING}
        assert fields["issuetype"] == {"name": NASTY_SETTING}


@each_preset
def test_a_ticket_without_status_and_with_a_bare_submitter_is_sent(
    preset: Preset,
) -> None:
    context = nasty_subject(preset, "")
    context.subject.status = None
    for request in requests_of(preset, context):
        check(preset, request)


@pytest.mark.parametrize("value", NASTY.values(), ids=NASTY)
def test_slacks_own_models_take_every_block(value: str) -> None:
    preset = all_presets()["slack-blocks"]
    [request] = requests_of(preset, nasty_subject(preset, value))
    blocks = json.loads(request.text)["blocks"]
    parsed = Block.parse_all(blocks)
    assert [type(block).__name__ for block in parsed] == [
        "HeaderBlock",
        "SectionBlock",
        "SectionBlock",
        "ContextBlock",
    ]
    for block in parsed:
        block.validate_json()


def test_what_a_tester_wrote_mentions_nobody_and_is_no_markup() -> None:
    presets = all_presets()
    context = nasty_subject(presets["slack-text"], "<!channel> <script> *b* @everyone")
    context.secrets = {"slack_url": "https://s.example/", "discord_url": "https://d.x/"}

    def sent(name: str) -> str:
        [request] = requests_of(presets[name], context)
        return request.text

    assert "&lt;!channel&gt;" in sent("slack-text") and "<!" not in sent("slack-text")
    discord = json.loads(sent("discord"))
    assert discord["allowed_mentions"] == {"parse": []}
    assert r"\*b\*" in discord["content"]
    description = json.loads(sent("azure-devops"))[1]["value"]
    assert description == "&lt;!channel&gt; &lt;script&gt; *b* @everyone"
    assert "<script>" not in sent("any-xml")


def test_a_long_text_is_cut_and_says_so() -> None:
    preset = all_presets()["jira-create"]
    context = nasty_subject(preset, "x" * 50_000)
    context.subject.title = "y" * 400
    [request] = requests_of(preset, context)
    fields = json.loads(request.text)["fields"]
    assert fields["summary"] == "y" * 254 + "…"
    [quoted] = fields["description"]["content"][0]["content"]
    assert quoted["content"][0]["text"] == "x" * 29_999 + "…"


def test_the_same_ticket_in_full() -> None:
    """One of them as it goes out, byte for byte."""
    preset = all_presets()["jira-comment"]
    [request] = requests_of(preset, a_context({"jira_token": "s3cr3t-token"}))
    link = {"type": "link", "attrs": {"href": "https://centerhook.example.com/t/3401/"}}
    assert request.url == "https://site.example/rest/api/3/issue/QA-7/comment"
    assert json.loads(request.text)["body"]["content"] == [
        {
            "type": "paragraph",
            "content": [
                {"type": "text", "text": "BUG-12", "marks": [link]},
                {"type": "text", "text": " is now: Open"},
            ],
        },
        {
            "type": "blockquote",
            "content": [
                {
                    "type": "paragraph",
                    "content": [
                        {"type": "text", "text": "I tap Log in."},
                        {"type": "hardBreak"},
                        {"type": "text", "text": "Nothing happens."},
                    ],
                }
            ],
        },
    ]
    assert len(steps(preset)) == 1
