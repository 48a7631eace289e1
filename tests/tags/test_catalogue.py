import ast
from datetime import datetime
from pathlib import Path

import pytest

import macros.tags
from macros.tags import (
    CATALOGUE,
    FAMILIES,
    TYPES,
    Scope,
    compile_template,
    normalise,
    palette,
)
from macros.tags.places import LAYOUTS
from tests.tags.targets import SCOPE, a_context, compiled, rendered

EXPECTED = {
    "Title": "Login fails",
    "Description": "I tap Log in.\nNothing happens.",
    "Status": "Open",
    "Reference": "BUG-12",
    "Number": "12",
    "Ticket ID": "3401",
    "Ticket URL": "https://centerhook.example.com/t/3401/",
    "Visibility": "public",
    "Created": "2026-03-14T23:26:53+00:00",
    "Modified": "2026-03-15T10:00:00+00:00",
    "Feedback Type": "Bug Report",
    "Project": "Spring Beta",
    "Community": "Acme Testers",
    "Submitter Name": "Ada Lovelace",
    "Submitter First Name": "Ada",
    "Submitter Last Name": "Lovelace",
    "Submitter Email": "ada@example.com",
    "Submitter Phone": "+44 20 7946 0958",
    "Submitter Company": "Analytical Engines",
    "Submitter Street": "12 St James's Square",
    "Submitter Street 2": "Flat 3",
    "Submitter City": "London",
    "Submitter Region": "Greater London",
    "Submitter Postal Code": "SW1Y 4JH",
    "Submitter Country": "GB",
    "Now": "2026-03-16T08:00:00+00:00",
    "Macro": "Send to Jira",
    "Run ID": "871",
    "Delivery ID": "msg_871_1",
    "Field: Severity": "Critical",
    "Field: Size (cm)": "3",
    "Field: Browsers": "Firefox, Safari",
    "Field: Agreed?": "true",
    "Field: Due date": "2026-03-04",
    "Field: Nothing": "",
    "Secret: slack_url": "https://hooks.example.com/T0/B0",
    "Secret: token": "s3cr3t",
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_tag_renders_its_value(name):
    assert rendered(f"(({name}))") == EXPECTED[name]
    assert compiled(f"(({name}))").tags == (name,)


def test_every_tag_has_an_expected_result():
    assert [tag.name for tag in palette(SCOPE)] == list(EXPECTED)


def test_every_tag_and_family_is_described():
    for tag in [*CATALOGUE.values(), *FAMILIES.values()]:
        assert tag.group and tag.meaning and tag.sample
        assert tag.type in TYPES
    assert all(key == normalise(tag.name) for key, tag in CATALOGUE.items())
    assert {tag.name for tag in FAMILIES.values()} == {"Field", "External", "Secret"}


def test_a_tags_type_is_that_of_its_value():
    kinds = {"number": int, "date": datetime, "text": str}
    for tag in CATALOGUE.values():
        assert isinstance(tag.resolve(a_context()), kinds[tag.type]), tag.name


def test_a_ticket_without_status_or_submitter_renders_empty():
    source = "".join(f"[(({name}))]" for name in EXPECTED if "Submitter" in name)
    assert rendered(source + "((Status))", submitter=None, status=None) == "[]" * 12


def test_a_label_wins_over_another_fields_key():
    fields = [
        macros.tags.FieldInfo("b", "A", "text", ""),
        macros.tags.FieldInfo("a", "B", "text", ""),
    ]
    template = compile_template(
        "((Field: a))", macros.tags.Place.TEXT, Scope.of(fields)
    )
    assert template.render(a_context(form_values={"a": "by key", "b": "by label"})) == (
        "by label"
    )


def test_a_scope_holds_normalised_names():
    assert SCOPE.secrets == {"slack_url", "token"}
    assert SCOPE.fields["size_(cm)"] is SCOPE.fields["size_cm"]
    assert Scope.of() == Scope({}, frozenset())


def test_every_place_has_a_layout():
    assert set(LAYOUTS) == set(macros.tags.Place)


def test_the_package_imports_the_standard_library_and_itself():
    package = Path(macros.tags.__file__).parent
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert all(alias.name in STANDARD for alias in node.names), path
            elif isinstance(node, ast.ImportFrom):
                assert node.level or node.module.partition(".")[0] in STANDARD, path


STANDARD = {
    "__future__", "base64", "collections", "dataclasses", "datetime", "decimal",
    "difflib", "enum", "json", "math", "operator", "re", "typing", "urllib", "xml",
    "zoneinfo",
}  # fmt: skip
