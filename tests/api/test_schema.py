"""What the API says about itself: to programs a schema, to people a page."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from centerhook.api_examples import EXAMPLES, bodies
from centerhook.rest import TAGS
from feedback.api.attachments import TicketAttachments
from feedback.api.comments import CommentFilterSet
from feedback.api.filters import FilterFilterSet
from feedback.api.members import ApiKeyFilterSet, MemberFilterSet
from feedback.api.owners import CommunityFilterSet, ProjectFilterSet
from feedback.api.source_rows import SourceFilterSet
from feedback.api.types import TypeFilterSet
from feedback.rest.details import CONTENT_TYPE
from feedback.rest.paging import PARAMETERS
from feedback.rest.viewsets import ReadOnlyViewSet, ScopedViewSet, WritableViewSet
from feedback.selection.filtersets import StrictFilterSet
from feedback.selection.testers import TesterFilterSet as PeopleFilterSet
from feedback.selection.tickets import FeedbackFilterSet
from logs.api.filters import DeliveryFilterSet, RunFilterSet
from macros.api.automations import ScheduleFilterSet, TriggerFilterSet
from macros.api.calls import CallFilterSet, EventFilterSet
from macros.api.filters import MacroFilterSet
from macros.api.listeners import ListenerFilterSet
from macros.api.secrets import SecretFilterSet
from macros.api.versions import VersionFilterSet

ROOT = Path(__file__).resolve().parents[2]
# Names in URLs, of answers, and of secrets: they open nothing.
OPEN = {
    ("Package", "key"),
    ("Lookup", "key"),
    ("Question", "key"),
    ("PresetSetting", "key"),
    ("PresetSecret", "key"),
    ("Preset", "secrets"),
    # Which go in, and never come out.
    ("FromPreset", "secrets"),
    ("Check", "secret"),
    ("Destination", "client_key_secret"),
}


@pytest.fixture
def schema(client: Client) -> dict[str, Any]:
    schema: dict[str, Any] = client.get("/api/v1/schema/").json()
    return schema


def test_the_schema_is_valid_and_made_without_a_warning() -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=StringIO())


def test_the_schema_is_open_and_says_what_every_operation_is(
    schema: dict[str, Any],
) -> None:
    for operations in schema["paths"].values():
        for operation in operations.values():
            assert operation["summary"]
            assert operation["security"] == [{"apiKey": []}, {"session": []}]
            assert operation["tags"][0] in TAGS
    assert schema["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"


def test_it_is_a_document_of_openapi_3_1(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(schema).validate()


def test_the_file_in_docs_is_the_schema(tmp_path: Path) -> None:
    """After a change of the API: make openapi. Bounds of numbers are the database's."""
    made = subprocess.run(
        [sys.executable, "manage.py", "spectacular", "--format", "openapi-json"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"},
        capture_output=True,
        check=True,
    )
    text = (ROOT / "docs" / "openapi.json").read_text()
    assert json.loads(text) == json.loads(made.stdout)


def test_every_operation_names_the_errors_that_can_come(
    schema: dict[str, Any],
) -> None:
    always = {"400", "401", "403", "429", "503"}
    responses = schema["components"]["responses"]
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            given = operation["responses"]
            refusals = {code for code in given if code[0] in "45"}
            assert always <= refusals, path
            assert ("404" in refusals) is ("{" in path), path
            assert ("409" in refusals) or method == "get", path
            assert ("412" in refusals) is ("{" in path and method != "get"), path
            assert ("422" in refusals) is (method == "post"), path
            for code in refusals:
                response = responses[given[code]["$ref"].rpartition("/")[2]]
                body = response["content"][CONTENT_TYPE]
                assert body["example"]["status"] == int(code)


def test_every_body_has_an_example_that_fits(schema: dict[str, Any]) -> None:
    taken = dict(bodies(schema))
    assert set(EXAMPLES) <= set(taken)
    for name, body in taken.items():
        rules = {**body["schema"], "components": schema["components"]}
        assert "example" in body or "example" in rules, name
        example = body.get("example", rules.get("example"))
        Draft202012Validator(rules).validate(example)


def test_what_is_said_of_operations_is_not_the_code_s_own_docstring(
    schema: dict[str, Any],
) -> None:
    docs = {
        inspect.getdoc(each)
        for each in (ScopedViewSet, ReadOnlyViewSet, WritableViewSet, TicketAttachments)
    }
    for operations in schema["paths"].values():
        for operation in operations.values():
            assert operation.get("description") not in docs


@pytest.mark.parametrize(
    ("room", "filterset"),
    [
        ("api-keys", ApiKeyFilterSet),
        ("comments", CommentFilterSet),
        ("communities", CommunityFilterSet),
        ("members", MemberFilterSet),
        ("projects", ProjectFilterSet),
        ("sources", SourceFilterSet),
        ("types", TypeFilterSet),
        ("feedback", FeedbackFilterSet),
        ("filters", FilterFilterSet),
        ("macros", MacroFilterSet),
        ("runs", RunFilterSet),
        ("secrets", SecretFilterSet),
        ("calls", CallFilterSet),
        ("events", EventFilterSet),
        ("listeners", ListenerFilterSet),
        ("schedules", ScheduleFilterSet),
        ("triggers", TriggerFilterSet),
        ("versions", VersionFilterSet),
        ("deliveries", DeliveryFilterSet),
        ("testers", PeopleFilterSet),
    ],
)
def test_every_condition_is_in_the_schema(
    schema: dict[str, Any], room: str, filterset: type[StrictFilterSet]
) -> None:
    parameters = schema["paths"][f"/api/v1/{room}/"]["get"]["parameters"]
    named = {each["name"] for each in parameters}
    assert named == {*filterset.base_filters, *PARAMETERS}


def _plain(component: str) -> str:
    return component.removeprefix("Patched").removesuffix("Request")


def test_no_serializer_tells_what_opens_something(schema: dict[str, Any]) -> None:
    named = {
        name
        for of, component in schema["components"]["schemas"].items()
        for name in component.get("properties", {})
        if (re.sub("^Patched|Request$", "", of), name) not in OPEN
    }
    secret = re.compile("token|secret|hash|password|snapshot|lease|^key$|auth")
    assert len(named) > 50
    assert [name for name in named if secret.search(name)] == []


def test_the_page_needs_no_other_server_and_no_inline_script(client: Client) -> None:
    html = client.get("/api/v1/docs/").content.decode()
    sources = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert sources and all(source.startswith("/") for source in sources)
    files = [each for each in sources if each.startswith("/static/")]
    assert len(files) == 5
    assert all(finders.find(each.removeprefix("/static/")) for each in files)
    assert "<style" not in html and " style=" not in html and " on" not in html
    assert re.findall(r"<script[^>]*>([^<]*)", html) == ["", ""]
    assert 'data-schema="/api/v1/schema/"' in html


def test_the_document_names_every_address_and_every_code(
    schema: dict[str, Any],
) -> None:
    pages = ("api.md", "api-reference.md")
    text = "".join((ROOT / "docs" / page).read_text() for page in pages)
    for path in schema["paths"]:
        assert path.removeprefix("/api/v1").replace("{id}", "ID") in text, path
    sources = [
        path for folder in ("rest", "api") for path in ROOT.glob(f"*/{folder}/*.py")
    ]
    assert len(sources) > 15
    source = "".join(path.read_text() for path in sources)
    codes = set(re.findall(r'(?:code=|Problem\(4\d\d, )"(\w+)"', source))
    assert len(codes) >= 9
    # What is beside the REST API has pages of its own.
    for page in ("data-packages", "odata", "record-lookup"):
        text += (ROOT / "docs" / f"{page}.md").read_text()
    assert [code for code in codes if f"`{code}`" not in text] == []
