"""A preset's file: complete, in step with itself, and with a true example."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import jsonpath
import pytest
import yaml
from jsonschema import Draft202012Validator

from macros.authoring.presets import FOLDER, GROUPS, Preset, all_presets, placeholders
from macros.authoring.presets.definition import SecretNeed, Setting
from macros.authoring.presets.filling import check_setting, fill, hosts_for
from tests.presets.rendering import SITE, file
from tests.presets.table import row

FILES = sorted(FOLDER.glob("*.yaml"))
each_preset = pytest.mark.parametrize(
    "preset", all_presets().values(), ids=lambda preset: preset.id
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_holds_what_a_preset_needs_and_nothing_else(path: Path) -> None:
    schema = file("preset.schema.yaml")
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(yaml.safe_load(path.read_text("utf-8")))


def test_the_systems_that_were_promised_are_there() -> None:
    assert set(all_presets()) == {
        "slack-text", "slack-blocks", "teams", "discord",
        "jira-create", "jira-update", "jira-comment", "jira-transition",
        "jira-attach",
        "github", "gitlab", "azure-devops", "linear",
        "salesforce-case", "salesforce-upsert", "servicenow", "zendesk", "pagerduty",
        "shippo", "zapier", "n8n", "any-json", "any-form", "any-xml",
    }  # fmt: skip
    titles = [preset.title for preset in all_presets().values()]
    assert len(titles) == len(set(titles))
    groups = [preset.group for preset in all_presets().values()]
    assert groups == sorted(groups, key=GROUPS.index)


@each_preset
def test_what_is_asked_is_used_and_what_is_used_is_asked(preset: Preset) -> None:
    asked = [each.key for each in (*preset.settings, *preset.secrets)]
    used = set[str]().union(*map(placeholders, preset.requests))
    assert set(asked) == used
    assert len(asked) == len(set(asked))


@each_preset
def test_an_example_is_a_value_that_is_taken(preset: Preset) -> None:
    for setting in preset.settings:
        assert check_setting(setting, setting.example) == setting.example
        if setting.default:
            assert check_setting(setting, setting.default) == setting.default


@each_preset
def test_a_secret_is_bound_to_the_host_it_is_sent_to(preset: Preset) -> None:
    settings = {
        each.key: SITE if each.kind == "url" else "x" for each in preset.settings
    }
    names = {each.key: each.name for each in preset.secrets}
    [request] = fill(preset, settings, names)
    for need in preset.secrets:
        if need.kind == "url":
            assert need.hosts == ()
            assert request["url"].startswith(f"((Secret: {need.name}))")
        else:
            subject = urlsplit(request.get("token_url") or request["url"]).hostname
            assert hosts_for(need.hosts, settings) == [subject]


@each_preset
def test_return_values_are_found_in_the_recorded_response(preset: Preset) -> None:
    kinds = {"text": str, "number": int, "boolean": bool}
    for request in preset.requests:
        for value in request.get("return_values", ()):
            assert value["source"] == "json"
            matches = jsonpath.findall(value["expression"], preset.response["body"])
            assert [type(each) for each in matches] == [kinds[value["type"]]], value


@each_preset
def test_a_recorded_response_is_of_the_type_it_says(preset: Preset) -> None:
    body = preset.response["body"]
    content_type = preset.response["headers"].get("Content-Type", "")
    assert ("json" in content_type) == isinstance(body, dict | list)
    json.dumps(body)


def test_the_keys_that_other_macros_build_on_are_captured() -> None:
    matches = all_presets()
    assert "jira_key" in matches["jira-create"].returned
    assert "github_number" in matches["github"].returned
    assert "salesforce_id" in matches["salesforce-case"].returned
    for name in ("jira-update", "jira-comment", "jira-transition"):
        [request] = matches[name].requests
        assert "((External: jira_key|required))" in request["url"]


def test_the_table_of_the_documentation_is_in_step() -> None:
    text = (FOLDER.parents[2] / "docs" / "presets.md").read_text("utf-8")
    matches = re.findall(r"^\| `([^`]+)` \|.*$", text, re.MULTILINE)
    rows = re.findall(r"^\| `[^`]+` \|.*$", text, re.MULTILINE)
    assert matches == list(all_presets())
    assert rows == [row(preset) for preset in all_presets().values()]


PROJECT = Setting("project", "Project", "Its key.", "QA")
TEAM = Setting("site", "Site", "An address.", SITE, kind="url")
LEVEL = Setting("level", "Level", "How bad.", "1", kind="choice", choices=("1", "2"))


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        (PROJECT, "  ", "Give a value."),
        (PROJECT, "a\nb", "This may hold no line breaks or control characters."),
        (PROJECT, "a\u2028b", "This may hold no line breaks or control characters."),
        (PROJECT, "x" * 501, "This is longer than 500 characters."),
        (LEVEL, "3", "Choose one of 1, 2."),
        (TEAM, "site.example", f"'site.example' is not a URL such as {SITE}"),
        (TEAM, "ftp://a.b", f"'ftp://a.b' is not a URL such as {SITE}"),
        (
            TEAM,
            "https://u:p@a.b",
            f"'https://u:p@a.b' is not a URL such as {SITE}",
        ),
        (TEAM, "https://a.b/?x", f"'https://a.b/?x' is not a URL such as {SITE}"),
        (TEAM, "https://((x))", f"'https://((x))' is not a URL such as {SITE}"),
    ],
)
def test_a_setting_that_could_not_work_is_refused(
    setting: Setting, value: str, message: str
) -> None:
    with pytest.raises(ValueError) as caught:
        check_setting(setting, value)
    assert str(caught.value) == message


def test_a_site_loses_its_last_slash_and_keeps_its_path() -> None:
    assert check_setting(TEAM, " https://a.example/jira/ ") == "https://a.example/jira"


def test_a_backslash_is_refused_where_it_could_free_a_tag() -> None:
    whole = all_presets()["any-form"]
    preset = Preset(
        **{
            **{name: getattr(whole, name) for name in Preset.__dataclass_fields__},
            "settings": (PROJECT,),
            "secrets": (SecretNeed("token", "token", "Token", "A token."),),
            "requests": (
                {"url": SITE, "body_kind": "form", "body": "p=[[project]]((Title))"},
            ),
        }
    )
    with pytest.raises(ValueError, match=r"^Project: This may hold no backslash\.$"):
        fill(preset, {"project": "a\\"}, {})
    [request] = fill(preset, {"project": "((x))("}, {})
    assert request["body"] == "p=\\((x\\))(((Title))"
