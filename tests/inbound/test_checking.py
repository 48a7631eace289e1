"""What is wrong with a listener is said before it is saved, and where."""

from __future__ import annotations

from typing import Any

import pytest

from feedback.models import Project
from macros.listeners.checking import problems_of
from macros.models import Listener, ListenerAction, ListenerCheck
from tests import factories

pytestmark = pytest.mark.django_db

COMMENT = {"kind": "comment", "value": "Seen"}
CREATE = {"kind": "create", "value": "title: ((Payload: $.t))"}


@pytest.fixture
def bugs():
    return factories.feedback_type()


def check(
    of: Any, *actions: dict[str, Any], checks: Any = None, **values: Any
) -> dict[str, list[str]]:
    owner = {"Project": "project", "Community": "community"}.get(
        type(of).__name__, "feedback_type"
    )
    listener = Listener(
        **{
            owner: of,
            "name": "L",
            "record_by": "id",
            "record_at": "$.id",
            "allowed_ips": "203.0.113.7",
            **values,
        }
    )
    listener.find_owners()
    return problems_of(
        listener,
        [ListenerCheck(**each) for each in checks or ()],
        [ListenerAction(**each) for each in actions or (COMMENT,)],
    )


def test_a_listener_that_works_has_no_problem(bugs):
    secret = factories.secret(bugs, "key")
    assert check(bugs, checks=[{"scheme": "github", "secret": secret}]) == {}
    assert check(bugs, CREATE, record_by="") == {}


@pytest.mark.parametrize(
    ("values", "setting", "sentence"),
    [
        ({"record_at": ""}, "record_at", "Say where in the call the value is."),
        ({"record_at": "id"}, "record_at", "Give a JSONPath, a header or a member"),
        ({"record_at": "$.["}, "record_at", "This is not a valid JSONPath expression"),
        ({"id_at": "header: ü"}, "id_at", "'ü' is not the name of a header."),
        ({"challenge_at": "x"}, "challenge_at", "Give a JSONPath, a header"),
        ({"record_by": "external"}, "record_external", "Name the external data"),
        ({"record_by": "email"}, "record_by", "Tickets have no e-mail address."),
        ({"record_by": ""}, "record_by", "Say which ticket or tester it is about"),
        ({"names": "a"}, "name_at", "Say where the name of the event is."),
        ({"ignored": "a"}, "ignored_at", "Say where in the call that is."),
        ({"ignored_at": "$.by"}, "ignored", "Say whose events are ignored."),
        ({"events_at": "header: X"}, "events_at", "Give a JSONPath, such as $.events."),
        ({"response_status": 404}, "response_status", "Give a status of 200 to 299"),
        ({"response_body": "{"}, "response_body", "Line 1, column 2:"),
        (
            {"response_body": '"((Title))"'},
            "response_body",
            "((Title)) has no value before it is created",
        ),
        ({"allowed_ips": ""}, "checks", "Say who may call: add an API key"),
    ],
)
def test_each_setting_of_the_listener(bugs, values, setting, sentence):
    problems = check(bugs, **values)
    assert list(problems) == [setting]
    assert problems[setting][0].startswith(sentence)


@pytest.mark.parametrize(
    ("action", "setting", "sentence"),
    [
        ({"kind": "run"}, "macro", "Choose a macro."),
        ({"kind": "comment"}, "value", "Write the comment."),
        (
            {"kind": "comment", "value": "((Nope))"},
            "value",
            "Line 1, column 1: unknown",
        ),
        (
            {"kind": "comment", "value": "((Payload: x))"},
            "value",
            "Line 1, column 1: G",
        ),
        ({"kind": "status"}, "value", "Say which status, such as"),
        ({"kind": "status", "value": "Nope"}, "value", "There is no status 'Nope'."),
        (
            {"kind": "status", "value": "x", "value_map": "a -> Nope"},
            "value_map",
            "There is no status 'Nope'. There are: Closed, New.",
        ),
        (
            {"kind": "status", "value": "x", "value_map": "a = b"},
            "value_map",
            "Line 1: write it as Done -> Closed.",
        ),
        (
            {"kind": "status", "value": "New", "value_map": "a -> New\nA -> New"},
            "value_map",
            "Line 2: 'A' is there twice.",
        ),
        ({"kind": "field", "name": "x"}, "name", "No form has a field 'x'."),
        ({"kind": "field", "name": "severity", "value": "x"}, "value", "'x': Select a"),
        ({"kind": "visibility", "value": "x"}, "value", "'x' is neither public"),
        ({"kind": "score", "value": "x"}, "value", "'x' is not a number of points."),
        ({"kind": "score", "value": "0"}, "value", "'0' is not a number of points."),
        (
            {"kind": "external", "value": "x"},
            "value",
            "Line 1: write it as name: value.",
        ),
        ({"kind": "external", "name": "7", "value": "x"}, "value", "'7' can't be the"),
        ({"kind": "external"}, "value", "Say what is stored"),
        ({"kind": "create"}, "value", "Say what its title is"),
        ({"kind": "create", "value": "title: ((Title))"}, "value", "((Title)) has no"),
        ({"kind": "create", "value": "title: x\nnope: 1"}, "value", "A ticket has no"),
    ],
)
def test_each_setting_of_an_action(bugs, action, setting, sentence):
    problems = check(bugs, COMMENT, action)
    assert list(problems) == [f"actions[1].{setting}"]
    assert problems[f"actions[1].{setting}"][0].startswith(sentence)


def test_a_secret_can_not_stand_where_people_read_it(bugs):
    factories.secret(bugs, "key")
    problems = check(bugs, {"kind": "comment", "value": "((Secret: key))"})
    assert list(problems) == ["actions[0].value"]


@pytest.mark.parametrize("kind", ["comment", "status", "field", "visibility"])
def test_testers_have_none_of_these(bugs, kind):
    problems = check(
        bugs.project.community,
        {"kind": kind, "name": "x", "value": "x"},
        subject_kind="tester",
    )
    [sentence] = problems["actions[0].kind"]
    assert sentence.startswith("Testers have no ")


def test_what_does_not_go_with_testers_or_types(bugs):
    tester = {"subject_kind": "tester"}
    assert "subject_kind" in check(bugs, {"kind": "score", "value": "1"}, **tester)
    problems = check(
        bugs.project, {"kind": "score", "value": "1"}, record_by="reference", **tester
    )
    assert problems == {"record_by": ["Testers have no reference."]}
    problems = check(bugs.project, CREATE)
    assert list(problems) == ["actions[0].kind"]


def test_macros_and_filters_of_others_do_not_fit(bugs):
    strangers = factories.feedback_type()
    community = bugs.project.community
    other = Project.objects.create(community=community, name="Other")
    own = factories.macro(bugs, "https://example.com/")
    user = factories.macro(community, "https://example.com/")
    elsewhere = factories.macro(other, "https://example.com/")

    def fits(of: Any, macro: Any, kind: str = "feedback") -> bool:
        return not check(of, {"kind": "run", "macro": macro}, subject_kind=kind)

    assert fits(bugs, own) and fits(bugs.project, own) and fits(community, own)
    assert not fits(strangers, own) and not fits(other, own)
    assert not fits(bugs, user) and fits(community, user, "tester")
    assert fits(bugs.project, user, "tester") and fits(community, elsewhere, "tester")
    assert not fits(bugs.project, elsewhere, "tester")
    chosen = factories.saved_filter(bugs)
    assert check(bugs, filter=chosen) == {} == check(bugs.project, filter=chosen)
    assert list(check(strangers, filter=chosen)) == ["filter"]
    assert list(check(other, filter=chosen)) == ["filter"]


@pytest.mark.parametrize(
    ("values", "setting"),
    [
        ({"scheme": "github"}, "secret"),
        ({"scheme": "hmac", "algorithm": "sha256", "encoding": "hex"}, "header"),
        ({"scheme": "hmac", "header": "X", "encoding": "hex"}, "algorithm"),
        ({"scheme": "hmac", "header": "X", "algorithm": "sha256"}, "encoding"),
    ],
)
def test_each_setting_of_a_check(bugs, values, setting):
    if setting != "secret":
        values = {**values, "secret": factories.secret(bugs, "key")}
    assert list(check(bugs, checks=[values])) == [f"checks[0].{setting}"]


def test_secrets_and_keys_of_others_are_refused(bugs):
    strangers = factories.feedback_type()
    secret = factories.secret(strangers, "key")
    key, _ = factories.api_key(strangers.project.community)
    problems = check(
        bugs,
        checks=[
            {"scheme": "github", "secret": secret},
            {"scheme": "api_key", "api_key": key},
        ],
    )
    assert list(problems) == ["checks[0].secret", "checks[1].api_key"]
    own, _ = factories.api_key(bugs.project.community)
    check_of = {"scheme": "api_key", "api_key": own}
    assert list(check(bugs, checks=[check_of])) == ["checks[0].api_key"]
    own.scope_listener = True
    assert check(bugs, checks=[check_of]) == {}


def test_too_much_at_once(bugs):
    assert check(bugs, *[COMMENT] * 51)["actions"] == [
        "There can be 50 actions, not 51."
    ]
    assert list(check(bugs, CREATE, CREATE)) == ["actions"]
    many = "\n".join(f"k{n}: x" for n in range(51))
    [sentence] = check(bugs, {"kind": "external", "value": many})["actions[0].value"]
    assert sentence == "It sets 51 values; 50 at most."


def test_no_action_is_no_listener(bugs):
    listener = Listener(feedback_type=bugs, record_by="id", record_at="$.id")
    problems = problems_of(listener, [], [])
    assert list(problems) == ["checks", "actions"]
