import ast
from datetime import datetime
from pathlib import Path

import pytest

import macros.tags
from macros.tags import (
    CATALOGUES,
    NAMESPACES,
    SUBJECT_KINDS,
    TESTER,
    TYPES,
    Scope,
    compile_template,
    normalise,
    palette,
)
from macros.tags.contexts import LAYOUTS
from tests.tags.subjects import (
    SCOPE,
    TESTERS,
    a_context,
    a_testers_context,
    compiled,
    problems,
    rendered,
)

EXPECTED = {
    "Title": "Login fails",
    "Description": "I tap Log in.\nNothing happens.",
    "Status": "Open",
    "Reference": "BUG-12",
    "Number": "12",
    "Ticket ID": "3401",
    "Ticket Key": "3401-64d04521b6940",
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
    "Submitter Score": "25",
    "Now": "2026-03-16T08:00:00+00:00",
    "Macro": "Send to Jira",
    "Run ID": "871",
    "Delivery ID": "msg_871_1",
    "Trigger": "New bugs",
    "Changed Fields": "Status, Severity",
    "Changed By": "ada",
    "Scheduled For": "2026-03-16T07:00:00+00:00",
    "Field: Severity": "Critical",
    "Field: Size (cm)": "3",
    "Field: Browsers": "Firefox, Safari",
    "Field: Agreed?": "true",
    "Field: Due date": "2026-03-04",
    "Field: Nothing": "",
    "Secret: slack_url": "https://hooks.example.com/T0/B0",
    "Secret: token": "s3cr3t",
}


EXPECTED_OF_TESTERS = {
    "Name": "Ada Lovelace",
    "First Name": "Ada",
    "Last Name": "Lovelace",
    "Email": "ada@example.com",
    "Phone": "+44 20 7946 0958",
    "Company": "Analytical Engines",
    "Street": "12 St James's Square",
    "Street 2": "Flat 3",
    "City": "London",
    "Region": "Greater London",
    "Postal Code": "SW1Y 4JH",
    "Country": "GB",
    "Score": "25",
    "Tester ID": "512",
    "Tester URL": "https://centerhook.example.com/p/512/",
    "Created": "2026-01-02T03:04:05+00:00",
    "Project": "Spring Beta",
    "Community": "Acme Testers",
    "Now": "2026-03-16T08:00:00+00:00",
    "Macro": "Send to Jira",
    "Run ID": "871",
    "Delivery ID": "msg_871_1",
    "Trigger": "New bugs",
    "Changed Fields": "Status, Severity",
    "Changed By": "ada",
    "Scheduled For": "2026-03-16T07:00:00+00:00",
    "Secret: slack_url": "https://hooks.example.com/T0/B0",
    "Secret: token": "s3cr3t",
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_tag_renders_its_value(name):
    assert rendered(f"(({name}))") == EXPECTED[name]
    assert compiled(f"(({name}))").tags == (name,)


@pytest.mark.parametrize("name", EXPECTED_OF_TESTERS)
def test_a_tag_of_a_tester_renders_its_value(name):
    template = compiled(f"(({name}))", scope=TESTERS)
    assert template.render(a_testers_context()) == EXPECTED_OF_TESTERS[name]
    assert template.tags == (name,)


def test_every_tag_has_an_expected_result():
    assert [tag.name for tag in palette(SCOPE)] == list(EXPECTED)
    assert [tag.name for tag in palette(TESTERS)] == list(EXPECTED_OF_TESTERS)


@pytest.mark.parametrize(
    ("name", "scope", "value"),
    [
        ("Status", SCOPE, "New"),
        ("title", SCOPE, "Old"),
        ("Description", SCOPE, ""),
        ("Severity", SCOPE, "Minor"),
        ("Field: severity", SCOPE, "Minor"),
        ("External: Jira Key", SCOPE, "7"),
        ("External: other", SCOPE, ""),
        ("Score", TESTERS, "3"),
        ("Street", TESTERS, "1 High Street"),
        ("external: jira_key", TESTERS, "7"),
    ],
)
def test_what_was_there_before_a_change(name, scope, value):
    template = compiled(f"((Previous: {name}))", scope=scope)
    context = a_context() if scope is SCOPE else a_testers_context()
    assert template.render(context) == value
    assert template.reads_change and not template.reads


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("Reference", SCOPE),
        ("Score", SCOPE),
        ("Field: Status", SCOPE),
        ("External:", SCOPE),
        ("Secret: token", SCOPE),
        ("Previous: Status", SCOPE),
        ("", SCOPE),
        ("Status", TESTERS),
        ("Severity", TESTERS),
    ],
)
def test_what_has_no_previous_value_is_refused_on_save(name, scope):
    [problem] = problems(f"((Previous: {name}))", scope=scope)
    assert "unknown tag" in problem or "is a tag of" in problem


def test_external_data_is_the_testers_own():
    template = compiled("((External: Address Valid))", scope=TESTERS)
    assert template.render(a_testers_context()) == "true"
    assert template.reads == {"external_data"}


@pytest.mark.parametrize("label", list(EXPECTED_OF_TESTERS)[:13])
def test_a_submitters_tag_moved_to_testers_means_the_tester(label):
    moved = compiled(f"((Submitter {label}))", scope=TESTERS)
    assert moved.render(a_testers_context()) == EXPECTED_OF_TESTERS[label]
    assert moved.tags == (label,), "it is shown under its own name there"
    assert moved.reads == compiled(f"(({label}))", scope=TESTERS).reads


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "x\n((Titel))((Title))",
            [
                "Line 2, column 1: unknown tag ((Titel)).",
                "Line 2, column 10: ((Title)) is a tag of tickets, and this macro runs"
                " on testers.",
            ],
        ),
        (
            "((Field: Country))",
            [
                "Line 1, column 1: ((Field: Country)) is a tag of tickets, and this"
                " macro runs on testers. Did you mean ((Country))?"
            ],
        ),
        (
            "((Ticket URL))",
            [
                "Line 1, column 1: ((Ticket URL)) is a tag of tickets, and this macro"
                " runs on testers. Did you mean ((Tester URL))?"
            ],
        ),
        (
            "((Submitter Now))((Submitter Frist Name))",
            [
                "Line 1, column 1: unknown tag ((Submitter Now)). Did you mean",
                "Line 1, column 18: unknown tag ((Submitter Frist Name)). Did you mean"
                " ((First Name))?",
            ],
        ),
    ],
)
def test_a_tickets_tag_in_a_user_macro_is_refused_with_the_reason(source, expected):
    messages = problems(source, scope=TESTERS)
    assert len(messages) == len(expected)
    assert all(map(str.startswith, messages, expected)), messages


def test_a_testers_tag_in_a_feedback_macro_is_refused_with_the_reason():
    assert problems("a ((first_name))") == [
        "Line 1, column 3: ((first_name)) is a tag of testers, and this macro runs on"
        " tickets. Did you mean ((Submitter First Name))?"
    ]


def test_every_tag_and_family_is_described():
    assert set(CATALOGUES) == set(SUBJECT_KINDS)
    tags = [tag for subject in SUBJECT_KINDS for tag in CATALOGUES[subject].values()]
    for tag in [*tags, *NAMESPACES.values()]:
        assert tag.group and tag.meaning and tag.sample
        assert tag.type in TYPES
    for named in CATALOGUES.values():
        assert all(key == normalise(tag.name) for key, tag in named.items())
    assert {tag.name for tag in NAMESPACES.values()} == {
        "Field",
        "External",
        "Payload",
        "Previous",
        "Secret",
    }


@pytest.mark.parametrize("subject", SUBJECT_KINDS)
def test_a_tags_type_is_that_of_its_value(subject):
    context = a_testers_context() if subject == TESTER else a_context()
    kinds = {"number": int, "date": datetime, "text": str, "list": list}
    for tag in CATALOGUES[subject].values():
        assert isinstance(tag.resolve(context), kinds[tag.type]), tag.name


def test_a_ticket_without_status_or_submitter_renders_empty():
    source = "".join(f"[(({name}))]" for name in EXPECTED if "Submitter" in name)
    assert rendered(source + "((Status))", submitter=None, status=None) == "[]" * 13


def test_a_label_wins_over_another_fields_key():
    fields = [
        macros.tags.FieldInfo("b", "A", "text", ""),
        macros.tags.FieldInfo("a", "B", "text", ""),
    ]
    template = compile_template(
        "((Field: a))", macros.tags.OutputContext.TEXT, Scope.of(fields)
    )
    assert template.render(a_context(form_values={"a": "by key", "b": "by label"})) == (
        "by label"
    )


def test_a_scope_holds_normalised_names():
    assert SCOPE.secrets == {"slack_url", "token"}
    assert SCOPE.fields["size_(cm)"] is SCOPE.fields["size_cm"]
    assert Scope.of() == Scope({}, frozenset())


def test_every_place_has_a_layout():
    assert set(LAYOUTS) == set(macros.tags.OutputContext)


def test_the_package_imports_little_but_the_standard_library():
    package = Path(macros.tags.__file__).parent
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert all(alias.name in STANDARD for alias in node.names), path
            elif isinstance(node, ast.ImportFrom):
                module = node.module or ""
                known = module == NAMES or module.partition(".")[0] in STANDARD
                assert node.level or known, path


# How every app compares names.
NAMES = "feedback.names"
STANDARD = {
    "__future__", "base64", "collections", "contextlib", "dataclasses", "datetime",
    "decimal", "difflib", "enum", "functools", "itertools", "json", "math", "operator",
    "re", "typing", "urllib", "xml", "zoneinfo",
    # Unicode's grapheme clusters, which the standard library does not know.
    "regex",
}  # fmt: skip
