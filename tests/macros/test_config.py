"""Types and macros as documents: moved from project to project, and refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedback.models import FeedbackType, Project
from macros import config
from macros.config import ConfigRefused, Existing, SecretsMissing
from macros.models import Macro, Secret
from macros.steps.kinds.web_request import WebRequest
from tests import factories

pytestmark = pytest.mark.django_db

RETURN = {
    "name": "key",
    "source": "json",
    "expression": "$.key",
    "type": "text",
    "when": "success",
    "required": True,
}


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def filled(bugs: FeedbackType) -> FeedbackType:
    factories.secret(bugs, "slack_url", hosts="hooks.slack.com")
    macro = factories.macro(
        bugs,
        "https://hooks.slack.com/((Secret: slack_url))",
        name="To Slack",
        ladder="5 s, 1 min",
        headers="X-Project: ((Project))\nX-Sev: ((Field: Severity|map:Critical=P1))",
        return_values=[RETURN],
        wait_when="400 body RATELIMITED\n403 header x-left: 0",
    )
    factories.steps(macro, *factories.ONE_OF_EACH_CHANGE, factories.AN_EMAIL)
    user = Macro(project=bugs.project, name="Check address")
    user.save()
    step = WebRequest(macro=user, url="https://api.example.com/((Now|url))")
    step.body = '{"at": "((Now))"}'
    step.full_clean(exclude=["step_ptr"])
    step.save()
    return bugs


def another(of: FeedbackType, name: str = "Watch Beta") -> Project:
    return Project.objects.create(community=of.project.community, name=name)


def count() -> tuple[int, ...]:
    rows = (FeedbackType, Macro, Secret, Project, WebRequest)
    return tuple(each.objects.count() for each in rows)


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_what_is_exported_is_imported_the_same(filled: FeedbackType, form: str) -> None:
    document = config.export_project(filled.project)
    text = config.write(document, form)
    assert config.read(text) == document
    subject = another(filled)
    made = config.import_document(config.read(text), subject)
    assert [each.name for each in made.types] == ["Bug Report"]
    assert {each.name for each in made.macros} == {"To Slack", "Check address"}
    again = config.export_project(subject)
    assert {**again, "project": None} == {**document, "project": None}
    steps = made.macros[0].concrete_steps()
    assert [each.kind for each in steps] == [
        *("web_request", "change_status", "set_field", "add_comment"),
        *("set_visibility", "add_score", "send_email"),
    ]
    assert steps[1].status.feedback_type.project == subject  # type: ignore[attr-defined]


def test_no_value_of_a_secret_is_in_a_file(filled: FeedbackType) -> None:
    secret = Secret.objects.get()
    secret.conceal("very-secret-value")
    secret.save()
    step = WebRequest.objects.get(macro__name="To Slack")
    step.headers = "Authorization: Bearer abcdef-typed\nX-Api-Key: typed-key-1"
    step.body = '{"password": "typed-word", "text": "((Title))"}'
    step.url = "https://example.com/?token=typed-token&page=2"
    step.save()
    document = config.export_project(filled.project)
    text = config.write(document, "yaml")
    for typed in ("very-secret", "abcdef", "typed", "encrypted"):
        assert typed not in text
    assert "page=2" in text and "Bearer ((Secret: authorization))" in text
    wanted = [each["name"] for each in document["secrets"]]
    assert wanted == ["token", "authorization", "x_api_key", "password"]
    with pytest.raises(SecretsMissing) as refused:
        config.import_document(document, another(filled))
    assert refused.value.names == wanted


def test_a_webhook_address_is_a_secret_too(bugs: FeedbackType) -> None:
    factories.macro(bugs, "https://hooks.slack.com/services/T0/B0/abcdef")
    document = config.export_project(bugs.project)
    assert "abcdef" not in json.dumps(document)
    assert [each["name"] for each in document["secrets"]] == ["webhook_url"]


def test_one_name_stands_for_one_value_at_one_host(bugs: FeedbackType) -> None:
    factories.secret(bugs, "authorization", "another-value")
    for host, value in (("a", "first-one"), ("b", "other-one"), ("a", "first-one")):
        url = f"https://{host}.example/"
        factories.macro(bugs, url, headers=f"Authorization: Bearer {value}")
    document = config.export_project(bugs.project)
    assert document["secrets"] == [
        {"name": "authorization_2", "hosts": ["a.example"]},
        {"name": "authorization_3", "hosts": ["b.example"]},
    ]


@pytest.mark.parametrize(
    ("kind", "body", "exported"),
    [
        ("json", '{"project": {"key": "BETA"}}', '{"project": {"key": "BETA"}}'),
        ("json", '{"token": "abc"}', '{"token": "((Secret: token))"}'),
        ("json", '{"token": "((External: t))"}', '{"token": "((External: t))"}'),
        ("json", '{"token": "x((External: t))"}', '{"token": "((Secret: token))"}'),
        ("form", "api_key=abcdef\nx=1", "api_key=((Secret: api_key))\nx=1"),
        ("xml", "<a><Password>pw</Password></a>", None),
        ("text", "hidden-value-1", "((Secret: known))"),
        ("json", '{"a": "((Secret: known))"}', '{"a": "((Secret: known))"}'),
    ],
)
def test_what_looks_like_a_credential_is_taken_out_of_a_body(
    bugs: FeedbackType, kind: str, body: str, exported: str | None
) -> None:
    factories.secret(bugs, "known", "hidden-value-1")
    macro = factories.macro(bugs, "https://a.example/", body_kind=kind, body=body)
    macro.description = "With hidden-value-1"
    macro.save()
    document = config.export_project(bugs.project)
    [written] = document["types"][0]["macros"]
    expected = exported or "<a><Password>((Secret: password))</Password></a>"
    assert written["steps"][0]["body"] == expected
    assert written["description"] == "With ••••••"


def test_the_hosts_of_the_projects_own_secret_are_exported(bugs: FeedbackType) -> None:
    factories.secret(bugs, "token", hosts="own.example", own=True)
    factories.secret(bugs, "token", hosts="shared.example")
    factories.macro(bugs, "https://a.example/", headers="X-A: ((Secret: token))")
    document = config.export_project(bugs.project)
    assert document["secrets"] == [{"name": "token", "hosts": ["own.example"]}]


def test_a_credential_that_no_tag_can_stand_in_for_stops_the_export(
    bugs: FeedbackType,
) -> None:
    factories.secret(bugs, "pw")
    factories.macro(
        bugs,
        "https://a.example/",
        name="Ask",
        auth_kind="oauth",
        auth_user="me",
        auth_secret="pw",
        token_url="https://a.example/token",
        token_parameters="scope=a\nclient_secret=abcdef",
    )
    with pytest.raises(ConfigRefused, match="Ask, step 1: .* hold client_secret as"):
        config.export_project(bugs.project)


def test_values_that_are_asked_for_become_secrets_of_the_project(
    filled: FeedbackType,
) -> None:
    document = config.export_project(filled.project)
    other = factories.feedback_type("Ideas", "IDEA")
    with pytest.raises(SecretsMissing, match="slack_url"):
        config.import_document(document, other.project)
    value = "https://hooks.slack.com/x"
    config.import_document(document, other.project, secrets={"Slack URL": value})
    secret = Secret.objects.get(project=other.project)
    assert (secret.reveal(), secret.hosts) == (value, "hooks.slack.com")


def test_a_taken_name_is_refused_kept_copied_or_replaced(filled: FeedbackType) -> None:
    document = config.export_project(filled.project)
    before = count()
    with pytest.raises(ConfigRefused, match="type 'Bug Report' already"):
        config.import_document(document, filled.project)
    assert count() == before
    kept = config.import_document(document, filled.project, existing=Existing.SKIP)
    assert (kept.macros, sorted(kept.skipped)) == ([], ["Check address", "To Slack"])
    copied = config.import_document(document, filled.project, existing=Existing.COPY)
    assert [each.name for each in copied.macros] == [
        "Copy of To Slack",
        "Copy of Check address",
    ]
    macro = Macro.objects.get(name="To Slack")
    document["types"][0]["macros"][0]["description"] = "From elsewhere"
    pk = macro.pk
    config.import_document(document, filled.project, existing=Existing.REPLACE)
    macro = Macro.objects.get(name="To Slack")
    assert (macro.pk, macro.description) == (pk, "From elsewhere")
    assert macro.versions.first().note == "Imported."  # type: ignore[union-attr]


def test_faults_are_told_before_secrets_are_asked_for(filled: FeedbackType) -> None:
    document = config.export_project(filled.project)
    other = factories.feedback_type("Ideas", "IDEA")
    before = count()
    with pytest.raises(SecretsMissing) as wanted:
        config.import_document(document, other.project)
    assert wanted.value.made.in_words() == "1 feedback type, 2 macros, 1 secret"
    assert wanted.value.made.sentences == [
        "Feedback type Bug Report is new.",
        "Macro To Slack is new. It sends to https://hooks.slack.com/…."
        " Secrets it uses: slack_url.",
        "Macro Check address is new. It sends to https://api.example.com/….",
    ]
    broken = changed(document, ["types", 0, "prefx"], "X")
    with pytest.raises(ConfigRefused, match="prefx: Unknown member"):
        config.import_document(broken, other.project)
    assert count() == before


def test_a_project_key_is_no_credential(bugs: FeedbackType) -> None:
    macro = factories.macro(bugs, "https://example.com/")
    WebRequest.objects.update(body='{"project": {"key": "TRAIL"}, "apiKey": "abc123"}')
    document = config.export_project(bugs.project, macros=[macro])
    body = document["types"][0]["macros"][0]["steps"][0]["body"]
    assert body == '{"project": {"key": "TRAIL"}, "apiKey": "((Secret: apikey))"}'


def test_a_dry_run_makes_nothing(filled: FeedbackType) -> None:
    document = config.export_project(filled.project)
    subject = another(filled)
    before = count()
    counts = config.import_document(document, subject, dry_run=True).in_words()
    assert counts == "1 feedback type, 2 macros"
    assert count() == before


def test_a_clone_has_types_and_macros_and_nothing_else(filled: FeedbackType) -> None:
    factories.ticket(filled)
    factories.secret(filled, "own", own=True)
    step = WebRequest.objects.get(macro__name="To Slack")
    step.headers = "X-Own: ((Secret: own))"
    step.save()
    with pytest.raises(SecretsMissing, match="own"):
        config.clone_project(filled.project, "Next", None)
    assert not Project.objects.filter(name="Next").exists()
    filled.project.time_zone = "Asia/Tokyo"
    made = config.clone_project(
        filled.project, "Next", None, secrets={"own": "new-value-1"}
    )
    assert made.time_zone == "Asia/Tokyo"
    kind = made.feedback_types.get()
    assert (kind.tickets.count(), kind.last_number) == (0, 0)
    assert made.macros.count() == 2 and made.runs.count() == 0
    assert Secret.objects.get(project=made).reveal() == "new-value-1"


def changed(document: Any, path: list[Any], value: Any) -> Any:
    copy = json.loads(json.dumps(document))
    at = copy
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return copy


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["centerhook", "format"], 2, "is of format 2, and this CenterHook reads up"),
        (["centerhook"], {}, "centerhook.format: This must be the number"),
        (["other"], 1, "other: Unknown member."),
        (["types"], {}, "types: This must be a list, and is a group"),
        (["types", 0, "prefx"], "BUG", "types[0].prefx: Unknown member. Did you mean"),
        (["types", 0, "prefix"], "bug", "types[0].prefix: Use capital letters"),
        (["types", 0, "name"], 7, "types[0].name: This must be text, and is a number."),
        (["types", 0, "statuses", 0, "is_open"], "yes", "statuses[0].is_open: This"),
        (["types", 0, "macros", 0, "steps", 0, "urll"], "", "steps[0].urll: Unknown"),
        (
            ["types", 0, "macros", 0, "steps", 0, "kind"],
            "web_reqest",
            "steps[0].kind: This must be one of",
        ),
        (
            ["types", 0, "macros", 0, "steps", 0, "body"],
            '{"a":\n "((Titel))"}',
            "steps[0].body: Line 2, column 3: unknown tag ((Titel)). Did you mean",
        ),
        (
            ["types", 0, "macros", 0, "steps", 1, "status"],
            "Gone",
            "no status 'Gone'",
        ),
        (["types", 0, "macros", 0, "retry_ladder"], "soon", "retry_ladder: "),
        (["secrets", 0], {"name": 3}, "secrets[0]: This must have a name"),
        (["secrets", 0], {"name": "a", "value": "x"}, "secrets[0]: This must have"),
        (["user_macros", 0, "steps", 0, "url"], "ftp://x", "user_macros[0].steps[0]"),
    ],
)
def test_a_fault_is_named_by_its_path_and_nothing_is_made(
    filled: FeedbackType, path: list[Any], value: Any, message: str
) -> None:
    document = changed(config.export_project(filled.project), path, value)
    subject = another(filled)
    before = count()
    with pytest.raises(ConfigRefused) as refused:
        config.import_document(document, subject)
    assert message in str(refused.value)
    assert count() == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1, "a": 2}', "'a' is given twice"),
        ("a: 1\na: 2", "Line 2, column 1: the member 'a' is given twice"),
        ("a: &x 1\nb: *x", "aliases"),
        ('{"a": NaN}', "NaN is not a number"),
        ("a: 1.5e+999", "a: This is not a number."),
        ('{"a": ', "Line 1, column 7: this is not JSON"),
        ("a: [1", "this is not YAML"),
        ("a: !!python/object:os.system x", "tags (!name) are not read"),
        ('{"a": "\\u0000"}', "a: There is a character"),
        ('{"a": "\\ud800"}', "a: There is a character"),
        ("[" * 100_000, "nested more than"),
        ('{"a":' * 60 + "1" + "}" * 60, "nested more than"),
        ("1: x", "the name of a member must be text"),
        ("a: !!binary aGk=", "tags (!name) are not read"),
        ("a: 1\n---\nb: 2", "Line 2, column 1: a second document begins"),
        ("a: \ud800", "There is a character that can't be stored."),
        ("x" * 2_000_001, "longer than 2,000,000 bytes"),
        ('{"a": ' + "9" * 5_000 + "}", "A number in the file has too many digits."),
    ],
)
def test_a_text_that_cannot_be_read_says_why(text: str, message: str) -> None:
    with pytest.raises(ConfigRefused) as refused:
        config.import_document(config.read(text), Project())
    assert message in str(refused.value)


def test_locked_web_requests_are_not_imported(filled: FeedbackType) -> None:
    document = config.export_project(filled.project)
    subject = another(filled)
    filled.project.community.api_keys.all().delete()
    with pytest.raises(ConfigRefused, match="no valid API key"):
        config.import_document(document, subject)
    assert not subject.feedback_types.exists()


def test_more_rows_than_a_file_may_have_are_refused_before_any_is_made(
    bugs: FeedbackType,
) -> None:
    step = {"kind": "add_comment", "text": "x"}
    macros = [{"name": f"M {n}", "steps": [step] * 50} for n in range(40)]
    document = {"centerhook": {"format": 1}, "user_macros": macros}
    with pytest.raises(ConfigRefused) as refused:
        config.import_document(document, bugs.project)
    assert refused.value.problems == [
        "There are 2,040 rows in its lists, and at most 2,000 are read. Export and"
        " import it in parts."
    ]
    assert not Macro.objects.exists()


def test_more_new_secrets_than_are_made_at_once_are_refused(bugs: FeedbackType) -> None:
    body = " ".join(f"((Secret: s{n}))" for n in range(501))
    step = {"kind": "web_request", "url": "https://a.example/", "body": body}
    macro = {"name": "M", "steps": [step]}
    document = {"centerhook": {"format": 1}, "user_macros": [macro]}
    with pytest.raises(ConfigRefused) as refused:
        config.import_document(document, bugs.project)
    assert refused.value.problems == [
        "secrets: The steps use 501 secrets that are not there yet, and at most 500 are"
        " made."
    ]


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["web_request", "((Title))", "((Secret: x))", "BUG", "\0"])
)
anything = st.recursive(
    scalars,
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(
            st.text(max_size=5)
            | st.sampled_from(
                [
                    *(
                        "centerhook",
                        "format",
                        "types",
                        "macros",
                        "user_macros",
                        "steps",
                    ),
                    *("kind", "url", "name", "prefix", "statuses", "fields", "secrets"),
                ]
            ),
            below,
            max_size=4,
        )
    ),
    max_leaves=12,
)
FUZZ = settings(
    max_examples=150,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@FUZZ
@given(value=st.dictionaries(st.text(max_size=5), anything, max_size=4))
def test_what_is_written_is_read_the_same(value: dict[str, Any]) -> None:
    try:
        config.read(json.dumps(value))
    except ConfigRefused:
        return  # It holds what no file can.
    for form in ("json", "yaml"):
        assert config.read(config.write(value, form)) == value


@FUZZ
@given(text=st.text(max_size=80) | anything.map(lambda value: json.dumps(value)))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        config.read(text)
    except ConfigRefused as refused:
        assert refused.problems


@pytest.mark.sweep
@FUZZ
@given(data=st.data())
def test_any_change_to_a_file_is_imported_whole_or_not_at_all(
    bugs: FeedbackType, data: st.DataObject
) -> None:
    if not Macro.objects.exists():
        macro = factories.macro(bugs, "https://example.com/", return_values=[RETURN])
        factories.steps(macro, *factories.ONE_OF_EACH_CHANGE)
    document = config.export_project(bugs.project)
    member_paths: list[list[Any]] = []

    def walk(value: Any, path: list[Any]) -> None:
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for name, below in pairs:
            member_paths.append([*path, name])
            if isinstance(below, dict | list):
                walk(below, [*path, name])

    walk(document, [])
    member_path = data.draw(st.sampled_from(member_paths))
    mutated = changed(document, member_path, data.draw(anything))
    before = count()
    subject = another(bugs, f"Fuzz {before}")
    try:
        read = config.read(json.dumps(mutated))
        config.import_document(read, subject)
    except ConfigRefused as refused:
        assert refused.problems and all(refused.problems)
        assert count() == (*before[:3], before[3] + 1, before[4])
    subject.delete()
